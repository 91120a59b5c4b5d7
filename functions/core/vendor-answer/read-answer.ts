import { VendorError } from "../errors.ts";
import type { VendorResponse } from "../vendor-http.ts";
import { collectBody } from "./collect-body.ts";
import { decodeText } from "./decode-text.ts";
import { isWholeJson, type Numerals, type ParsedAnswer, parseForm, parseJsonAnswer } from "./parse-answer.ts";
import { guesses, unpack } from "./unpack.ts";

/**
 * A vendor that holds its connection open after its answer: when the text is complete JSON and nothing came for so long,
 * the answer is there.
 */
export const QUIET_MS = 2_000;

/** Where the caller gives no limit of its own. */
const TIMEOUT_MS = 20_000;

/** What a vendor answered, whatever it was wrapped in. */
export interface VendorAnswer {
  /** Of JSON, or the members of a form; undefined: neither. */
  readonly value: unknown;
  /** Unpacked, without a byte order mark and blanks around it. */
  readonly text: string;
  /** See parse-answer.ts. */
  readonly numerals: Numerals;
  readonly isTooDeep: boolean;
}

export interface AnswerLimits {
  /** Of the body as it comes, and unpacked. */
  readonly maxBytes: number;
  /** For all of the body, in milliseconds. */
  readonly timeoutMs?: number;
  /** Whether a form counts; default false. */
  readonly forms?: boolean;
}

/**
 * Reads a vendor's answer: packed though we asked for `identity`, named or not; with a byte order mark; in Latin-1; JSON
 * or a form under any content type; cut behind its last brace. Field reports of all of these cost users their
 * connections elsewhere (docs/adr/0023-one-reader.md). A cut body counts only where its JSON is whole; a cut form never
 * does, because nothing tells its end.
 * @throws {VendorError} 502 `vendor_answer_too_large`: larger than `maxBytes`, or unpacks to more
 * @throws {VendorUnreachable} it stalled, was cut, or did not end in time, and is not whole
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
 * The same for JSON alone.
 * @returns undefined: there is no body
 * @throws {VendorError} 502, it is no JSON, or too large
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

/** A vendor's string or number as a trimmed string. @returns undefined: it is something else, or empty */
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
