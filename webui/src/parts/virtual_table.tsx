// A table of any length of which only the rows in sight exist. Rows are of one height; the header stays.
import { memo, useEffect, useId, useState, type KeyboardEvent, type ReactNode } from "react";
import { useRowsInSight } from "./virtual_rows";
import "../style/table.css";

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  /** The title in full, where it is a short one. */
  readonly hint?: string;
  /** In rem. */
  readonly width: number;
  /** Whether it takes its share of the room that is left. */
  readonly doesGrow?: boolean;
  readonly isNumber?: boolean;
  readonly isSortable?: boolean;
  readonly cell: (row: Row) => ReactNode;
}

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  total: number;
  /** The row at a place, or undefined while it is on its way. */
  rowAt: (place: number) => Row | undefined;
  keyOf: (row: Row) => string;
  /** The key of the column that rows are ordered by, with `-` before it when descending. */
  sort?: string;
  onSort?: (sort: string) => void;
  onSight?: (first: number, last: number) => void;
  onOpen?: (row: Row) => void;
  selected?: ReadonlySet<string>;
  onToggle?: (row: Row) => void;
  marked?: string | undefined;
}

const rowHeight = 30;

export function VirtualTable<Row>(props: Props<Row>): ReactNode {
  const { label, columns, total, rowAt, keyOf, sort, onSort, onSight, onOpen, selected, onToggle } = props;
  const [box, { first, end }, look] = useRowsInSight<HTMLDivElement>(rowHeight, total);
  const [current, setCurrent] = useState(-1);
  const id = useId();
  useEffect(() => {
    onSight?.(first, Math.max(first, end - 1));
  }, [first, end, onSight]);

  const move = (place: number): void => {
    const next = Math.max(0, Math.min(total - 1, place));
    setCurrent(next);
    const element = box.current;
    if (!element) return;
    // The header covers the first row's height.
    const top = next * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + 2 * rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = top + 2 * rowHeight - element.clientHeight;
  };

  const press = (event: KeyboardEvent): void => {
    if (event.target !== box.current) return;
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: 15,
      PageUp: -15,
      Home: -total,
      End: total,
    };
    const step = steps[event.key];
    const row = current >= 0 ? rowAt(current) : undefined;
    if (step !== undefined) move(Math.max(current, step > 0 ? -1 : 0) + step);
    else if (event.key === "Enter" && row) onOpen?.(row);
    else if (event.key === " " && row) onToggle?.(row);
    else return;
    event.preventDefault();
  };

  const { tracks, width } = layout(columns, onToggle !== undefined);
  const places = Array.from({ length: end - first }, (_, index) => first + index);
  return (
    <div
      className="vtable"
      role="grid"
      aria-label={label}
      aria-rowcount={total + 1}
      aria-colcount={columns.length + (onToggle ? 1 : 0)}
      aria-multiselectable={onToggle ? true : undefined}
      aria-activedescendant={current >= first && current < end ? `${id}-${current}` : undefined}
      tabIndex={0}
      ref={box}
      onScroll={look}
      onKeyDown={press}
      style={
        {
          "--tracks": tracks,
          "--width": `${width}rem`,
          "--rows-height": `${(total + 1) * rowHeight + 16}px`,
        } as React.CSSProperties
      }
    >
      <div className="vhead" role="row" aria-rowindex={1}>
        {onToggle && (
          <span role="columnheader" className="check">
            <span className="hidden">Selected</span>
          </span>
        )}
        {columns.map((column) => (
          <HeaderCell key={column.key} column={column} sort={sort} onSort={onSort} />
        ))}
      </div>
      <div className="vbody" role="rowgroup" style={{ height: total * rowHeight }}>
        {places.map((place) => {
          const row = rowAt(place);
          const key = row ? keyOf(row) : undefined;
          const isSelected = key !== undefined && (selected?.has(key) ?? false);
          return (
            <div
              key={place}
              id={`${id}-${place}`}
              role="row"
              aria-rowindex={place + 2}
              aria-selected={onToggle ? isSelected : undefined}
              className={rowClass(isSelected, place === current, key !== undefined && key === props.marked)}
              style={{ top: place * rowHeight }}
              onClick={() => {
                setCurrent(place);
                if (row) onOpen?.(row);
              }}
            >
              {row ? <Cells row={row} columns={columns} isSelected={isSelected} onToggle={onToggle} /> : <Waiting />}
            </div>
          );
        })}
      </div>
    </div>
  );
}

/** Every row is a grid of its own, so that they line up only if no track depends on what is in it. */
function layout<Row>(columns: readonly Column<Row>[], hasCheck: boolean): { tracks: string; width: number } {
  const tracks = columns.map(({ width, doesGrow }) => (doesGrow ? `minmax(${width}rem, 1fr)` : `${width}rem`));
  const width = columns.reduce((sum, column) => sum + column.width, 0);
  return hasCheck ? { tracks: `2.2rem ${tracks.join(" ")}`, width: width + 2.2 } : { tracks: tracks.join(" "), width };
}

const rowClass = (isSelected: boolean, isCurrent: boolean, isMarked: boolean): string =>
  `vrow${isSelected ? " selected" : ""}${isCurrent ? " current" : ""}${isMarked ? " marked" : ""}`;

function Waiting(): ReactNode {
  return (
    <span role="gridcell" className="soft">
      …
    </span>
  );
}

interface HeaderProps<Row> {
  column: Column<Row>;
  sort: string | undefined;
  onSort: ((sort: string) => void) | undefined;
}

function HeaderCell<Row>({ column, sort, onSort }: HeaderProps<Row>): ReactNode {
  const { key, title, hint = title, isNumber = false, isSortable = false } = column;
  const direction = sort === key ? "ascending" : sort === `-${key}` ? "descending" : undefined;
  return (
    <span role="columnheader" aria-sort={direction} className={isNumber ? "number" : undefined} title={hint}>
      {isSortable && onSort ? (
        <button className="sort" onClick={() => onSort(direction === "descending" ? key : `-${key}`)}>
          <bdi>{title}</bdi>
          <span aria-hidden="true">{direction === "ascending" ? " ↑" : direction === "descending" ? " ↓" : ""}</span>
        </button>
      ) : (
        <bdi>{title}</bdi>
      )}
    </span>
  );
}

interface CellsProps<Row> {
  row: Row;
  columns: readonly Column<Row>[];
  isSelected: boolean;
  onToggle: ((row: Row) => void) | undefined;
}

/** Rows that have not changed are not rendered again while others come and go. */
const Cells = memo(function Cells<Row>({ row, columns, isSelected, onToggle }: CellsProps<Row>): ReactNode {
  return (
    <>
      {onToggle && (
        <span role="gridcell" className="check" onClick={(event) => event.stopPropagation()}>
          <input
            type="checkbox"
            aria-label="Select"
            checked={isSelected}
            onChange={() => onToggle(row)}
            tabIndex={-1}
          />
        </span>
      )}
      {columns.map(({ key, isNumber, cell }) => (
        <span key={key} role="gridcell" className={isNumber ? "number" : undefined}>
          {cell(row)}
        </span>
      ))}
    </>
  );
}) as <Row>(props: CellsProps<Row>) => ReactNode;
