import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import type { Content } from "../content.ts";
import type { StandInFault } from "../stand-in.ts";

/** The answer of a vendor's code. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | ContentPart;
}

/** Bytes of a file, streamed. */
export interface ContentPart {
  readonly content: Content;
  readonly start: number;
  readonly end: number;
}

export function jsonAnswer(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(value),
  };
}

export function textAnswer(status: number, text: string): Answer {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8" }, body: text };
}

export function htmlAnswer(status: number, page: string, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
      "Content-Security-Policy":
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'",
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
      ...headers,
    },
    body: page,
  };
}

export function redirectAnswer(location: string): Answer {
  return { status: 302, headers: { Location: location, "Cache-Control": "no-store" } };
}

/**
 * RFC 9110 section 14: answers one range of bytes; for any other Range header sends the whole content, as
 * both vendors do.
 */
export function contentAnswer(
  content: Content,
  range: string | undefined,
  headers: Record<string, string>,
): Answer {
  const wanted = /^bytes=(\d*)-(\d*)$/.exec(range ?? "");
  const base = { ...headers, "Accept-Ranges": "bytes" };
  if (wanted === null || (wanted[1] === "" && wanted[2] === "")) {
    return { status: 200, headers: base, body: { content, start: 0, end: content.size } };
  }
  const [, first = "", last = ""] = wanted;
  const start = first === "" ? Math.max(content.size - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? content.size : Math.min(Number(last) + 1, content.size);
  if (start >= content.size || start >= end) {
    return { status: 416, headers: { "Content-Range": `bytes */${content.size}` } };
  }
  return {
    status: 206,
    headers: { ...base, "Content-Range": `bytes ${start}-${end - 1}/${content.size}` },
    body: { content, start, end },
  };
}

export interface Sending {
  readonly fault: StandInFault | undefined;
  readonly isHead: boolean;
  readonly date: Date;
  /** Resolves when held bodies are released. */
  readonly released: () => Promise<void>;
  readonly closing: AbortSignal;
}

/** Maximum time that a held body waits. */
const HOLD_MS = 60_000;

/** Writes an answer, with the delays and breaks that the fault asks for. */
export async function sendAnswer(outgoing: ServerResponse, answer: Answer, sending: Sending): Promise<void> {
  const length = bodyLength(answer.body);
  outgoing.sendDate = false;
  outgoing.setHeader("Date", sending.date.toUTCString());
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    // The replaced characters are not allowed in a header; a file's type may have them, because the
    // uploader chooses it.
    outgoing.setHeader(name, value.replace(/[^\t\x20-\x7e\x80-\xff]/g, "?"));
  }
  if (answer.status !== 204 && answer.status !== 304) outgoing.setHeader("Content-Length", String(length));
  outgoing.writeHead(answer.status);
  if (sending.isHead || length === 0) {
    outgoing.end();
    return;
  }
  outgoing.flushHeaders();
  const breakAt = sending.fault?.reset === "middle" ? Math.floor(length / 2) : Number.POSITIVE_INFINITY;
  const holdAt = sending.fault?.holdBody?.afterBytes ?? Number.POSITIVE_INFINITY;
  const pieceBytes = sending.fault?.slowBody?.bytesPerChunk ?? Number.POSITIVE_INFINITY;
  let sent = 0;
  for (const piece of pieces(answer.body)) {
    for (let at = 0; at < piece.length; ) {
      const upTo = Math.min(
        piece.length,
        at + pieceBytes,
        ...[breakAt, holdAt].map((stop) => at + stop - sent).filter((stop) => stop > at),
      );
      await write(outgoing, piece.subarray(at, upTo));
      sent += upTo - at;
      at = upTo;
      if (sent >= breakAt) {
        outgoing.destroy();
        return;
      }
      if (sent === holdAt && !(await isReleased(sending))) {
        outgoing.destroy();
        return;
      }
      if (sending.fault?.slowBody !== undefined && sent < length) {
        await pause(sending.fault.slowBody.pauseMs, undefined, { signal: sending.closing });
      }
      if (outgoing.destroyed) return;
    }
  }
  outgoing.end();
}

async function isReleased(sending: Sending): Promise<boolean> {
  const limit = new AbortController();
  const late = pause(HOLD_MS, false, { signal: AbortSignal.any([limit.signal, sending.closing]) }).catch(
    () => false,
  );
  const released = await Promise.race([sending.released().then(() => true), late]);
  limit.abort();
  return released;
}

async function write(outgoing: ServerResponse, piece: Uint8Array): Promise<void> {
  if (outgoing.destroyed || outgoing.write(piece)) return;
  const gone = new AbortController();
  await Promise.race([
    once(outgoing, "drain", { signal: gone.signal }),
    once(outgoing, "close", { signal: gone.signal }),
  ]);
  gone.abort();
}

function* pieces(body: Answer["body"]): Generator<Uint8Array> {
  if (body === undefined) return;
  if (typeof body === "string") yield Buffer.from(body);
  else if (body instanceof Uint8Array) yield body;
  else yield* body.content.read(body.start, body.end);
}

function bodyLength(body: Answer["body"]): number {
  if (body === undefined) return 0;
  if (typeof body === "string") return Buffer.byteLength(body);
  return body instanceof Uint8Array ? body.length : body.end - body.start;
}
