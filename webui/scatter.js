// Accuracy against the share of parameters kept, one dot a trial, the original marked.
import { s } from "./dom.js";
import { percent } from "./format.js";

const width = 560;
const height = 320;
const margin = { left: 58, right: 16, top: 12, bottom: 40 };

function scale(low, high, from, to) {
  const span = high - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
}

function ticks(low, high, wanted) {
  const raw = (high - low) / wanted || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= raw);
  const values = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step / 1e6; value += step) values.push(value);
  return values;
}

/** points: [{x, y, label, isBest, isChosen, choose}], x and y fractions; original: {y}, at x = 1. */
export function scatter(points, original) {
  const values = [...points.map((point) => point.y), original.y];
  const low = Math.max(0, Math.min(...values) - 0.02);
  const high = Math.min(1, Math.max(...values) + 0.02);
  const x = scale(0, 1.05, margin.left, width - margin.right);
  const y = scale(low, high, height - margin.bottom, margin.top);
  return s("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Accuracy against parameters kept" },
    ticks(low, high, 5).map((value) => [
      s("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(value), y2: y(value) }),
      s("text", { x: margin.left - 6, y: y(value) + 4, "text-anchor": "end" }, `${(100 * value).toFixed(1)} %`)]),
    [0, 0.25, 0.5, 0.75, 1].map((value) => [
      s("line", { class: "grid", x1: x(value), x2: x(value), y1: margin.top, y2: height - margin.bottom }),
      s("text", { x: x(value), y: height - margin.bottom + 16, "text-anchor": "middle" }, `${100 * value} %`)]),
    s("text", { x: (margin.left + width - margin.right) / 2, y: height - 6, "text-anchor": "middle" }, "parameters kept"),
    points.map((point) =>
      s("circle", { class: `dot ${point.isBest ? "best" : ""} ${point.isChosen ? "chosen" : ""}`, cx: x(point.x), cy: y(point.y), r: point.isBest ? 6 : 4, onclick: point.choose },
        s("title", {}, `${point.label}: accuracy ${percent(point.y)}, parameters ${percent(point.x)}`))),
    s("rect", { class: "original", x: x(1) - 5, y: y(original.y) - 5, width: 10, height: 10 }, s("title", {}, `original: accuracy ${percent(original.y)}`)),
    s("text", { x: x(1) - 9, y: y(original.y) - 8, "text-anchor": "end" }, "original"));
}

/** A line through the values, by index. */
export function curve(values) {
  const x = scale(0, Math.max(1, values.length - 1), margin.left, width - margin.right);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const y = scale(low, high, 130, 14);
  const at = (value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`;
  return s("svg", { viewBox: `0 0 ${width} 150`, role: "img", "aria-label": "Intermediate results" },
    [...new Set([low, high])].map((value) => [
      s("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(value), y2: y(value) }),
      s("text", { x: margin.left - 6, y: y(value) + 4, "text-anchor": "end" }, Number(value.toPrecision(4)))]),
    s("polyline", { class: "curve", points: values.map(at).join(" ") }),
    values.length <= 60 && values.map((value, index) => s("circle", { class: "dot", cx: x(index), cy: y(value), r: 3 }, s("title", {}, `${index}: ${value}`))));
}
