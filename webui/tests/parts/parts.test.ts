import { describe, expect, it } from "vitest";
import { address } from "../../src/api/client";
import { parsePlace, to } from "../../src/app/router";
import { csvText } from "../../src/charts/csv";
import { LogBuffer, matches } from "../../src/parts/log/log_buffer";
import { rowsInSight } from "../../src/parts/virtual_rows";

describe("addresses", () => {
  it("name a view and what is chosen in it", () => {
    expect(to(["experiments", "abc", "trials"], { sort: "-metric", filter: 'a = "x&y"', none: "" })).toBe(
      "#/experiments/abc/trials?sort=-metric&filter=a+%3D+%22x%26y%22",
    );
    const place = parsePlace(to(["hosts", "ana@a.lan:2222"], { filter: 'a = "x&y"' }));
    expect(place.path).toEqual(["hosts", "ana@a.lan:2222"]);
    expect(place.query.get("filter")).toBe('a = "x&y"');
  });
  it("are read whatever they say", () => {
    expect(parsePlace("").path).toEqual([]);
    expect(parsePlace("#/").path).toEqual([]);
    expect(parsePlace("#/a%/b?x").path).toEqual(["a%", "b"]);
  });
  it("of the daemon have their values encoded", () => {
    expect(address("/api/v1/hosts/{host}", { host: "ana@a.lan:2222" })).toBe("/api/v1/hosts/ana%40a.lan%3A2222");
    expect(address("/x", {}, { status: ["A", "B"], none: undefined, empty: "" })).toBe("/x?status=A%2CB");
    expect(() => address("/x/{id}")).toThrow("{id}");
  });
});

describe("virtual rows", () => {
  it("are those in sight and some more", () => {
    expect(rowsInSight(0, 300, 30, 100_000)).toEqual({ first: 0, end: 15 });
    expect(rowsInSight(30 * 50_000, 300, 30, 100_000)).toEqual({ first: 49_995, end: 50_015 });
    expect(rowsInSight(30 * 99_990, 300, 30, 100_000)).toEqual({ first: 99_985, end: 100_000 });
    expect(rowsInSight(900, 300, 30, 3)).toEqual({ first: 0, end: 3 });
    expect(rowsInSight(0, 300, 30, 0)).toEqual({ first: 0, end: 0 });
  });
});

describe("LogBuffer", () => {
  it("joins lines that come in pieces", () => {
    const buffer = new LogBuffer();
    buffer.append("one\ntw");
    expect(buffer.state.get().lines).toEqual(["one", "tw"]);
    buffer.append("o\n");
    expect(buffer.state.get().lines).toEqual(["one", "two"]);
    buffer.append("three");
    buffer.append("\n");
    expect(buffer.state.get().lines).toEqual(["one", "two", "three"]);
  });
  it("keeps the last lines, and cuts long ones", () => {
    const buffer = new LogBuffer();
    buffer.append("x\n".repeat(25_000));
    expect(buffer.state.get()).toMatchObject({ dropped: 5_000 });
    buffer.append(`${"y".repeat(1_000_000)}\n`);
    const last = buffer.state.get().lines.at(-1) ?? "";
    expect(last.length).toBeLessThan(5_000);
    expect(last).toContain("1,000,000 characters");
  });
  it("is searched whatever the case", () => {
    expect(matches(["An Error", "fine", "error"], "ERROR", (line) => line)).toEqual([0, 2]);
    expect(matches(["x"], "", (line) => line)).toEqual([]);
  });
});

describe("csvText", () => {
  it("quotes, and defuses formulas", () => {
    expect(csvText([["a,b", 'c"d', "=1+1", 2, null, NaN]])).toBe('"a,b","c""d",\'=1+1,2,,\r\n');
    expect(csvText([["-5", -5]])).toBe("'-5,-5\r\n");
  });
});
