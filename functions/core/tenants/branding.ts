import { InvalidRequest } from "../errors.ts";

/** How an organization looks on the pages that its users see while they connect an account. */
export interface Branding {
  /** `#rrggbb`, in lower case. */
  readonly color?: string;
  readonly logo?: Logo;
}

export interface Logo {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** A logo is part of each connect page, so it is small. */
export const MAX_LOGO_BYTES = 50_000;

/** The first bytes of each kind of picture that all browsers show. An SVG in an `<img>` runs no script and loads nothing. */
const SIGNATURES: readonly (readonly [mediaType: string, isKind: (bytes: Buffer) => boolean])[] = [
  ["image/png", (bytes) => bytes.subarray(0, 8).toString("latin1") === "\x89PNG\r\n\x1a\n"],
  ["image/jpeg", (bytes) => bytes.subarray(0, 3).toString("latin1") === "\xff\xd8\xff"],
  ["image/gif", (bytes) => /^GIF8[79]a$/.test(bytes.subarray(0, 6).toString("latin1"))],
  ["image/webp", (bytes) => /^RIFF....WEBP$/s.test(bytes.subarray(0, 12).toString("latin1"))],
  ["image/svg+xml", (bytes) => /^<svg\b/.test(afterProlog(bytes.subarray(0, 5_000).toString("utf8")))],
];

/** XML without what may stand before its first element: declaration, comments, document type. */
function afterProlog(xml: string): string {
  let rest = xml.replace(/^\ufeff/, "").trimStart();
  for (;;) {
    const end = rest.startsWith("<!--") ? "-->" : /^<(?:\?|!DOCTYPE)/i.test(rest) ? ">" : undefined;
    const at = end === undefined ? -1 : rest.indexOf(end);
    if (end === undefined || at < 0) return rest;
    rest = rest.slice(at + end.length).trimStart();
  }
}

/** @throws {InvalidRequest} no picture of a known kind, or too large */
export function checkLogo(file: Uint8Array): Logo {
  const bytes = Buffer.from(file);
  if (bytes.length > MAX_LOGO_BYTES) {
    throw new InvalidRequest(`the logo is too large: at most ${MAX_LOGO_BYTES} bytes`, "logo");
  }
  const [mediaType] = SIGNATURES.find(([, isKind]) => isKind(bytes)) ?? [];
  if (mediaType === undefined) {
    throw new InvalidRequest("the logo is not right: a PNG, JPEG, GIF, WebP or SVG picture", "logo");
  }
  return { mediaType, bytes };
}

/** @throws {InvalidRequest} not `#rrggbb` */
export function checkColor(color: string): string {
  if (/^#[0-9a-f]{6}$/i.test(color)) return color.toLowerCase();
  throw new InvalidRequest("the colour is not right: write it as #0b5cad", "color");
}

/** Black or white, whichever reads better on a colour. */
export function textColorOn(color: string): "#000000" | "#ffffff" {
  return contrast(color, "#ffffff") >= contrast(color, "#000000") ? "#ffffff" : "#000000";
}

/** Contrast ratio of two colours, 1 to 21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
export function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
