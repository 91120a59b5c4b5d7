import { VendorError } from "../errors.ts";
import type { VendorResponse } from "../vendor-http.ts";
import { collectBody } from "./collect-body.ts";
import { decodeText } from "./decode-text.ts";
import { isWholeJson, type Numerals, type ParsedAnswer, parseForm, parseJsonAnswer } from "./parse-answer.ts";
import { guesses, unpack } from "./unpack.ts";

/**
 * Time after which an answer is complete although the vendor keeps its connection open: the text is whole JSON,
 * and no byte came for so long.
 */
export const QUIET_MS = 2_000;

/** Default time limit. */
const TIMEOUT_MS = 20_000;

/** A vendor's answer, unpacked and parsed. */
export interface VendorAnswer {
  /** The value of JSON, or the members of a form; undefined: neither. */
  readonly value: unknown;
  /** Unpacked, without a byte order mark and white space around it. */
  readonly text: string;
  /** See parse-answer.ts. */
  readonly numerals: Numerals;
  readonly isTooDeep: boolean;
}

export interface AnswerLimits {
  /** Limit for the body as received, and for the unpacked body. */
  readonly maxBytes: number;
  /** Time for the whole body, in milliseconds. */
  readonly timeoutMs?: number;
  /** Whether a form is accepted; default false. */
  readonly forms?: boolean;
}

/**
 * Reads a vendor's answer, even if it is compressed although we asked for `identity`, with or without the
 * header for this; with a byte order mark; in Latin-1; JSON or a form under any content type; cut off after its
 * last brace. According to field reports, each of these has cost users their connections elsewhere
 * (docs/adr/0023-one-reader.md). A cut body counts only if its JSON is whole; a cut form never does, because
 * nothing shows its end.
 * @throws {VendorError} 502 `vendor_answer_too_large`: larger than `maxBytes`, or unpacks to more
 * @throws {VendorUnreachable} the body stalled, was cut, or did not end in time, and is not whole
 */
export async function readAnswer(
  response: Pick<VendorResponse, "headers" | "body"> & { readonly status?: number },
  { maxBytes, timeoutMs = TIMEOUT_MS, forms = false }: AnswerLimits,
): Promise<VendorAnswer> {
  const { headers } = response;
  const { bytes, cut } = await collectBody(response, {
    maxBytes,
    timeoutMs,
    quietMs: QUIET_MS,
    isWhole: (soFar) => isWhole(soFar, headers, maxBytes),
  });
  const { status = 0 } = response;
  const isSuccess = status >= 200 && status < 300;
  const answer = parseBody(bytes, headers, { maxBytes, forms, isEnded: cut === undefined, isSuccess });
  if (cut !== undefined && answer.parsed === undefined) throw cut;
  const { text, parsed } = answer;
  const { value, numerals = new Map(), isTooDeep = false } = parsed ?? {};
  return { text, value, numerals, isTooDeep };
}

/**
 * Reads an answer that must be JSON.
 * @returns undefined: there is no body
 * @throws {VendorError} 502: not JSON, nested too deep, or too large
 */
export async function readJson(
  response: Pick<VendorResponse, "headers" | "body">,
  maxBytes: number,
  timeoutMs = TIMEOUT_MS,
): Promise<unknown> {
  const { text, value, isTooDeep } = await readAnswer(response, { maxBytes, timeoutMs });
  if ((value !== undefined && !isTooDeep) || text === "") return value;
  throw new VendorError(
    502,
    "vendor_answer_unreadable",
    "the vendor's answer is not JSON, or nested too deep",
  );
}

/** A vendor's string or number as a trimmed string. @returns undefined: another type, or empty */
export function asText(value: unknown): string | undefined {
  const text = typeof value === "string" || typeof value === "number" ? String(value).trim() : "";
  return text === "" ? undefined : text;
}

function isWhole(soFar: Buffer, headers: VendorResponse["headers"], maxBytes: number): boolean {
  try {
    return (
      parseBody(soFar, headers, { maxBytes, forms: false, isEnded: false, isSuccess: false }).parsed !==
      undefined
    );
  } catch {
    return false;
  }
}

function parseBody(
  packed: Buffer,
  headers: VendorResponse["headers"],
  {
    maxBytes,
    forms,
    isEnded,
    isSuccess,
  }: { maxBytes: number; forms: boolean; isEnded: boolean; isSuccess: boolean },
): { readonly text: string; readonly parsed: ParsedAnswer | undefined } {
  const parse = (bytes: Buffer, isComplete: boolean) => {
    const text = decodeText(bytes);
    const json = isComplete || isWholeJson(text) ? parseJsonAnswer(text) : undefined;
    const form = forms && isComplete ? parseForm(text, headers["content-type"] ?? "", isSuccess) : undefined;
    return { text, parsed: json ?? form };
  };
  const unpacked = unpack(packed, headers["content-encoding"] ?? "", maxBytes);
  const found = parse(unpacked.bytes, isEnded && unpacked.isComplete);
  if (found.parsed !== undefined || packed.length === 0) return found;
  for (const { bytes, isComplete } of guesses(packed, unpacked.bytes, maxBytes)) {
    const guessed = parse(bytes, isEnded && isComplete);
    if (guessed.parsed !== undefined) return guessed;
  }
  return found;
}
