// The parts of ECharts that every chart needs; a chart adds its own series type with use().
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import type { EChartsOption } from "echarts/types/dist/shared";

use([CanvasRenderer, GridComponent, TooltipComponent]);

export { init, use };
export type { EChartsOption, EChartsType };
