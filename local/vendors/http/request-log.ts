import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { EndpointKind, SeenRequest } from "../stand-in.ts";

export type LogEntry = { -readonly [Key in keyof SeenRequest]: SeenRequest[Key] };

const MAX_ENTRIES = 1000;
const SECRET_PARAMETERS = new Set([
  "access_token",
  "authorization",
  "client_secret",
  "code",
  "code_verifier",
  "refresh_token",
  "state",
  "token",
]);

/** The requests that a stand-in received, without secrets: tests compare hashes. */
export class RequestLog {
  #entries: LogEntry[] = [];

  begin(incoming: IncomingMessage, endpoint: EndpointKind, now: number): LogEntry {
    const [path = "", ...query] = (incoming.url ?? "").split("?");
    const entry: LogEntry = {
      method: incoming.method ?? "",
      host: incoming.headers.host ?? "",
      path,
      query: withoutSecrets(query.join("?")),
      status: 0,
      headers: headersWithoutSecrets(incoming),
      // The announced length; the real length replaces it when the body is read.
      bodyBytes: Number(incoming.headers["content-length"] ?? 0),
      endpoint,
      at: new Date(now).toISOString(),
    };
    this.#entries.push(entry);
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
    return entry;
  }

  all(): readonly SeenRequest[] {
    return this.#entries.map((entry) => ({ ...entry }));
  }

  clear(): void {
    this.#entries = [];
  }
}

/** How a secret appears in the log: SHA-256, base64url, the first 12 characters. */
function secretMark(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url").slice(0, 12);
}

function headersWithoutSecrets(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    const text = Array.isArray(value) ? value.join(", ") : (value ?? "");
    if (name === "authorization") {
      const [scheme = "", ...secret] = text.split(" ");
      headers[name] = `${scheme} ${secretMark(secret.join(" ").trimStart())}`;
    } else if (name === "cookie") headers[name] = secretMark(text);
    else headers[name] = text;
  }
  return headers;
}

function withoutSecrets(query: string): string {
  return query
    .split("&")
    .map((pair) => {
      const [name = "", ...value] = pair.split("=");
      return SECRET_PARAMETERS.has(name.toLowerCase()) ? `${name}=${secretMark(value.join("="))}` : pair;
    })
    .join("&");
}
