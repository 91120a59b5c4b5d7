import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkColor,
  checkLogo,
  contrast,
  MAX_LOGO_BYTES,
  textColorOn,
} from "../../../functions/core/tenants/branding.ts";

describe("the colour of a connect page", () => {
  it("is written with six digits, and stored in lower case", () => {
    expect(checkColor("#0B5CAD")).toBe("#0b5cad");
    for (const wrong of ["0b5cad", "#0b5", "blue", "#0b5cad;}body{display:none", "#0b5cad\n", ""]) {
      expect(() => checkColor(wrong)).toThrowError(expect.objectContaining({ detail: { field: "color" } }));
    }
  });

  it("has the contrast that WCAG's examples have", () => {
    expect(contrast("#ffffff", "#000000")).toBeCloseTo(21, 5);
    expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
    expect(contrast("#0b5cad", "#0b5cad")).toBe(1);
  });

  it("carries text in black or white with a contrast of 4.5 at least, whatever the colour", () => {
    const color = fc
      .integer({ min: 0, max: 0xffffff })
      .map((each) => `#${each.toString(16).padStart(6, "0")}`);
    fc.assert(
      fc.property(color, (each) => {
        expect(contrast(each, textColorOn(each))).toBeGreaterThanOrEqual(4.5);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("a logo", () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"/>';
  it.each([
    ["image/png", Buffer.from("89504e470d0a1a0a0000", "hex")],
    ["image/jpeg", Buffer.from("ffd8ffe0", "hex")],
    ["image/gif", Buffer.from("GIF89a..")],
    ["image/webp", Buffer.from("RIFF\x01\n\0\0WEBPVP8 ", "latin1")],
    ["image/svg+xml", Buffer.from(svg)],
    ["image/svg+xml", Buffer.from(`<?xml version="1.0"?>\n${svg}`)],
    [
      "image/svg+xml",
      Buffer.from(`\ufeff<?xml version="1.0"?><!-- Made by > a tool -->\n<!-- two -->${svg}`),
    ],
    [
      "image/svg+xml",
      Buffer.from(
        `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">${svg}`,
      ),
    ],
  ])("of type %s is known by its first bytes", (mediaType, bytes) => {
    expect(checkLogo(bytes)).toMatchObject({ mediaType });
  });

  it.each([
    ["a page", Buffer.from("<html><svg></svg></html>")],
    ["a page after comments", Buffer.from("<!-- a --><!DOCTYPE html><html><svg></svg></html>")],
    ["an unfinished comment", Buffer.from("<!-- <svg></svg>")],
    ["a text", Buffer.from("logo")],
    ["nothing", Buffer.alloc(0)],
    ["a large file", Buffer.concat([Buffer.from("GIF89a"), Buffer.alloc(MAX_LOGO_BYTES)])],
  ])("is refused when it is %s", (_what, bytes) => {
    expect(() => checkLogo(bytes)).toThrowError(expect.objectContaining({ detail: { field: "logo" } }));
  });
});
