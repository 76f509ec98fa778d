import { describe, expect, it } from "vitest";
import { change, measureOf, showCell } from "../../src/format/measures";
import { bytes, count, milliseconds, number, percent, short } from "../../src/format/number";
import { duration, parseDuration, time } from "../../src/format/time";

describe("numbers", () => {
  it("have four digits that mean something", () => {
    expect(number(0.123456)).toBe("0.1235");
    expect(number(1234567)).toBe("1,234,567");
    expect(number(12345.678)).toBe("12,346");
    expect(number(1.5e-7)).toBe("1.500e-7");
    expect(number(0)).toBe("0");
    expect(number(-0.5)).toBe("-0.5");
  });
  it("are a dash when there is none", () => {
    for (const nothing of [NaN, Infinity, undefined, null, "7"]) expect(number(nothing)).toBe("–");
  });
  it("have units", () => {
    expect(bytes(1732424)).toBe("1.732 MB");
    expect(bytes(999)).toBe("999 B");
    expect(short(2293000)).toBe("2.29 M");
    expect(percent(0.993)).toBe("99.30 %");
    expect(milliseconds(0.257851)).toBe("0.2579 ms");
    expect(milliseconds(2500)).toBe("2.5 s");
    expect(count(431080)).toBe("431,080");
    expect(count(1.195e12)).toBe("1.2 T");
  });
});

describe("durations", () => {
  it("have two units at most", () => {
    expect(duration(0.0004)).toBe("0 ms");
    expect(duration(0.05)).toBe("50 ms");
    expect(duration(3.26)).toBe("3.3 s");
    expect(duration(59.96)).toBe("1 min");
    expect(duration(250)).toBe("4 min 10 s");
    expect(duration(7500)).toBe("2 h 5 min");
    expect(duration(86_400 * 3 + 4 * 3600 + 59)).toBe("3 d 4 h");
    expect(duration(undefined)).toBe("–");
  });
  it("are read as a configuration has them", () => {
    expect(parseDuration("90s")).toBe(90);
    expect(parseDuration("1.5h")).toBe(5400);
    expect(parseDuration("2d")).toBe(172_800);
    expect(parseDuration(60)).toBe(60);
    for (const wrong of ["", "h", "1w", "-1s", null]) expect(parseDuration(wrong)).toBeNull();
  });
});

describe("times", () => {
  it("leave the day out today alone", () => {
    const now = new Date(2026, 0, 31, 12, 0, 0);
    expect(time(now.getTime(), now)).not.toContain("2026");
    expect(time(now.getTime() - 86_400_000, now)).toContain("2026");
    expect(time(undefined)).toBe("–");
  });
});

describe("measures", () => {
  const [size, accuracy] = [measureOf("sizeBytes"), measureOf("accuracy")];
  it("know whether a change is good", () => {
    expect(size && change(size, 100, 60)).toEqual({ text: "-40.00 %", isBetter: true });
    expect(accuracy && change(accuracy, 0.99, 0.98)).toEqual({ text: "-1.00 points", isBetter: false });
    expect(accuracy && change(accuracy, 0.99, 0.99)).toEqual({ text: "0.00 points", isBetter: null });
    expect(size && change(size, 0, 60)).toBeNull();
    expect(size && change(size, undefined, 60)).toBeNull();
  });
  it("show cells by their column", () => {
    expect(showCell("metric.size_bytes", 2000)).toBe("2 kB");
    expect(showCell("parameter.size_bytes", 2000)).toBe("2,000");
    expect(showCell("parameter.x", null)).toBe("–");
    expect(showCell("parameter.x", "<b>")).toBe("<b>");
  });
});
