import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { COPY_SCRIPT } from "./layout.ts";
import { LinkspanRefusal } from "./linkspan-client.ts";

/** Linkspan refuses requests of more than about 4.5 MB, with a message. This limit only protects memory. */
const MAX_BODY_BYTES = 12_000_000;

const SCRIPT_SOURCE = `'sha256-${createHash("sha256").update(COPY_SCRIPT).digest("base64")}'`;

/** 303: the browser opens the page with GET, so that a reload does not repeat the form. */
export function redirect(response: ServerResponse, to: string): void {
  response.writeHead(303, { Location: to, "Cache-Control": "no-store" }).end();
}

export function send(response: ServerResponse, status: number, page: string): void {
  response
    .writeHead(status, {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
      "Referrer-Policy": "same-origin",
      // Without form-action: browsers also apply it to the redirects after a form, and ours go to the
      // vendor.
      "Content-Security-Policy": `default-src 'none'; script-src ${SCRIPT_SOURCE}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'`,
      "X-Content-Type-Options": "nosniff",
    })
    .end(page);
}

/** @throws {LinkspanRefusal} the body is too large */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length <= MAX_BODY_BYTES) chunks.push(chunk as Buffer);
  }
  // Reads the body to its end: a browser shows no answer to a form whose upload was cut.
  if (length > MAX_BODY_BYTES) throw new LinkspanRefusal(413, "payload_too_large", "the file is too large");
  return Buffer.concat(chunks);
}

export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams((await readBody(request)).toString("utf8"));
}

/** Headers for a user's file, which the browser must never show as a page of this app. */
export function downloadHeaders(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    "content-disposition": "attachment",
  };
  for (const name of ["content-type", "content-length", "content-disposition"]) {
    const value = headers.get(name);
    if (value !== null) kept[name] = value;
  }
  return kept;
}
