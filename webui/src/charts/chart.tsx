// A chart in its card: drawn anew when data, size or theme change, and saved as CSV or PNG.
import { useEffect, useRef, type ReactNode } from "react";
import { saveBlob } from "../api/session";
import { useTheme } from "../app/theme";
import { Card } from "../parts/card";
import { csvText, type CsvRow } from "./csv";
import { init, type EChartsOption, type EChartsType } from "./echarts";
import { paletteOf, type Palette } from "./palette";
import "../style/chart.css";

interface Props {
  title: string;
  /** The chart in words, for those who do not see it. */
  summary: string;
  option: (palette: Palette) => EChartsOption;
  /** The data behind it, with a header. */
  csv: () => readonly CsvRow[];
  height?: string;
  controls?: ReactNode;
  note?: ReactNode;
  /** Called with ECharts' parameters of what was clicked. */
  onPick?: (picked: { seriesName?: string; seriesIndex?: number; dataIndex?: number; data?: unknown }) => void;
  /** Called once with the chart, for events of its own kind. */
  onReady?: (chart: EChartsType) => void;
  /** Another shape starts from nothing; the same shape is updated, and keeps zoom and brushes. */
  shape?: string;
}

export function Chart(props: Props): ReactNode {
  const { title, summary, option, csv, height = "22rem", controls, note, onPick, onReady, shape = "" } = props;
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const shownShape = useRef<string | null>(null);
  const pick = useRef(onPick);
  pick.current = onPick;
  const theme = useTheme();
  const palette = paletteOf(theme);

  useEffect(() => {
    const box = element.current;
    if (!box) return;
    const made = init(box, null, { renderer: "canvas" });
    chart.current = made;
    shownShape.current = null;
    made.on("click", (parameters) => pick.current?.(parameters as never));
    onReady?.(made);
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(box);
    return () => {
      observer.disconnect();
      made.dispose();
      chart.current = null;
    };
    // A chart is made once; its functions are read when they are needed.
  }, []);

  useEffect(() => {
    const wanted = `${theme} ${shape}`;
    const isNew = shownShape.current !== wanted;
    shownShape.current = wanted;
    const base: EChartsOption = { animation: false, textStyle: { fontFamily: "inherit" } };
    chart.current?.setOption(
      { ...base, ...option(palette) },
      isNew ? { notMerge: true } : { replaceMerge: ["series"] },
    );
  }, [option, palette, theme, shape]);

  const file = title.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const savePng = (): void => {
    chart.current
      ?.renderToCanvas({ pixelRatio: 2, backgroundColor: palette.card })
      .toBlob((blob) => blob && saveBlob(blob, `${file}.png`));
  };
  const saveCsv = (): void => saveBlob(new Blob([csvText(csv())], { type: "text/csv" }), `${file}.csv`);

  return (
    <Card
      title={title}
      actions={
        <>
          {controls}
          <button className="small" onClick={saveCsv}>
            CSV
          </button>
          <button className="small" onClick={savePng}>
            PNG
          </button>
        </>
      }
    >
      {note && <p className="soft">{note}</p>}
      <div ref={element} className="chart" style={{ height }} role="img" aria-label={`${title}. ${summary}`} />
    </Card>
  );
}
