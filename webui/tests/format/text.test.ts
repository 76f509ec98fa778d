import { describe, expect, it } from "vitest";
import { ansiPieces, ansiText } from "../../src/format/ansi";
import { shorten, visible, words } from "../../src/format/text";

describe("visible", () => {
  it("shows what steers the direction of text, and other characters without a shape", () => {
    expect(visible("a\u202eb")).toBe("a⟨202E⟩b");
    expect(visible("\u2066x\u2069")).toBe("⟨2066⟩x⟨2069⟩");
    expect(visible("a\u0007\u001b[1m\u007f")).toBe("a⟨0007⟩⟨001B⟩[1m⟨007F⟩");
    expect(visible("tab\tand\nline, שלום, 日本")).toBe("tab\tand\nline, שלום, 日本");
  });
});

describe("shorten", () => {
  it("never cuts a pair in two", () => {
    expect(shorten("abc", 3)).toBe("abc");
    expect(shorten("abcd", 3)).toBe("ab…");
    expect(shorten("a😀bcd", 3)).toBe("a…");
  });
  it("is quick with much", () => {
    expect(shorten("x".repeat(1_000_000), 10)).toBe("xxxxxxxxx…");
  });
});

describe("words", () => {
  it("reads like a sentence", () => expect(words("USER_CANCELED")).toBe("User canceled"));
});

describe("ansiPieces", () => {
  const escape = "\u001b";
  it("styles what the codes say and drops the codes", () => {
    expect(ansiPieces(`a${escape}[1;31mred${escape}[0m b`)).toEqual([
      { text: "a", style: "" },
      { text: "red", style: "bold fg-1" },
      { text: " b", style: "" },
    ]);
  });
  it("takes bright colours, backgrounds, 256 colours and true colours", () => {
    expect(ansiPieces(`${escape}[92;44mx`)[0]?.style).toBe("fg-10 bg-4");
    expect(ansiPieces(`${escape}[38;5;196mx`)[0]?.style).toBe("fg-9");
    expect(ansiPieces(`${escape}[38;2;1;2;3;1mx`)[0]?.style).toBe("bold");
    expect(ansiPieces(`${escape}[1mx${escape}[22my`).map(({ style }) => style)).toEqual(["bold", ""]);
  });
  it("drops cursor movements, titles and broken sequences", () => {
    expect(ansiText(`${escape}[2K${escape}[1Ga${escape}]0;title\u0007b${escape}[`)).toBe("ab");
    expect(ansiText(`${escape}]8;;http://x${escape}\\link${escape}]8;;${escape}\\`)).toBe("link");
  });
  it("keeps the last of what a carriage return overwrites", () => {
    expect(ansiText("10 %\r20 %\r100 %")).toBe("100 %");
    expect(ansiText("dos line\r")).toBe("dos line");
  });
  it("never makes text of the page's markup", () => {
    expect(ansiPieces("<script>alert(1)</script>")).toEqual([{ text: "<script>alert(1)</script>", style: "" }]);
  });
  it("ends quickly with a megabyte of escapes", () => {
    const before = Date.now();
    expect(ansiText(`${escape}[31m`.repeat(200_000))).toBe("");
    expect(ansiText(`${escape}]`.repeat(200_000))).toBe("");
    expect(Date.now() - before).toBeLessThan(3_000);
  });
});
