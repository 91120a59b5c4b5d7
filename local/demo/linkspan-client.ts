import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";

/** Maximum wait for an answer's headers. */
const TIMEOUT_MS = 30_000;

export interface DemoSettings {
  /** `http://127.0.0.1:4000/elements/api-v2` */
  readonly baseUrl: string;
  readonly organizationSecret: string;
  readonly userSecret: string;
}

export interface DocumentEntry {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly directory: boolean;
  readonly size?: number;
  readonly modifiedDate?: string;
}

export interface ListPage {
  readonly entries: readonly DocumentEntry[];
  readonly nextPage?: string;
}

export interface GrantStatus {
  readonly valid: boolean;
  readonly expiresAt?: string;
  readonly lastRefreshedAt?: string;
  readonly nextRefreshAt?: string;
  readonly lastError?: string;
}

/** Linkspan refused a request; `message` is Linkspan's text. */
export class LinkspanRefusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "LinkspanRefusal";
    this.status = status;
    this.code = code;
  }
}

/** The calls to Linkspan that a small app needs: an app's server would contain this code. */
export class LinkspanClient {
  readonly #settings: DemoSettings;
  constructor(settings: DemoSettings) {
    this.#settings = settings;
  }

  /** @param what a new connection to a vendor, or a new sign-in to an instance */
  async createSession(
    what: { readonly element: { readonly key: string } } | { readonly instanceId: number },
    returnUrl: string,
    endUser: string,
  ): Promise<{ id: string; connectUrl: string }> {
    return this.#json("POST", "/connect/sessions", this.#platform(), { ...what, returnUrl, endUser });
  }

  /** @param accepts what the person has agreed to: `acceptOtherAccount`, `acceptUnknownAccount` */
  async claim(
    session: string,
    claim: string,
    endUser: string,
    accepts: Readonly<Record<string, true>> = {},
  ): Promise<{ id: number; token: string; name: string; element: { key: string; name: string } }> {
    return this.#json("POST", `/connect/sessions/${encodeURIComponent(session)}/claim`, this.#platform(), {
      claim,
      endUser,
      ...accepts,
    });
  }

  /** The person behind an account, as the vendor names them. */
  async me(token: string): Promise<{ name?: string; email?: string }> {
    return this.#json("GET", "/hubs/documents/me", `Bearer ${token}`);
  }

  async status(id: number): Promise<GrantStatus> {
    return this.#json("GET", `/instances/${id}/status`, this.#platform());
  }

  async refresh(id: number): Promise<GrantStatus> {
    return this.#json("POST", `/instances/${id}/refresh`, this.#platform());
  }

  async disconnect(id: number): Promise<void> {
    await this.#json("DELETE", `/instances/${id}`, this.#platform());
  }

  async list(token: string, path: string, nextPage?: string): Promise<ListPage> {
    const query = new URLSearchParams({
      path,
      pageSize: "50",
      ...(nextPage === undefined ? {} : { nextPage }),
    });
    const response = await this.#send("GET", `/hubs/documents/folders/contents?${query}`, `Bearer ${token}`);
    const next = response.headers.get("elements-next-page-token");
    return {
      entries: (await response.json()) as DocumentEntry[],
      ...(next === null ? {} : { nextPage: next }),
    };
  }

  /** Passes the browser's multipart body on unchanged. @throws {LinkspanRefusal} `conflict`: it exists, and `overwrite` is false */
  async upload(
    token: string,
    path: string,
    { contentType, bytes, overwrite }: { contentType: string; bytes: Uint8Array; overwrite: boolean },
  ): Promise<DocumentEntry> {
    const query = new URLSearchParams({ path, overwrite: String(overwrite) });
    const response = await this.#send(
      "POST",
      `/hubs/documents/files?${query}`,
      `Bearer ${token}`,
      bytes,
      contentType,
    );
    return (await response.json()) as DocumentEntry;
  }

  async download(token: string, path: string): Promise<{ headers: Headers; body: Readable }> {
    const response = await this.#send(
      "GET",
      `/hubs/documents/files?${new URLSearchParams({ path })}`,
      `Bearer ${token}`,
    );
    return {
      headers: response.headers,
      body: Readable.fromWeb((response.body ?? new ReadableStreamOfNothing()) as ReadableStream),
    };
  }

  async createFolder(token: string, path: string): Promise<void> {
    await this.#json("POST", "/hubs/documents/folders", `Bearer ${token}`, { path });
  }

  async remove(token: string, path: string, directory: boolean): Promise<void> {
    await this.#json(
      "DELETE",
      `/hubs/documents/${directory ? "folders" : "files"}?${new URLSearchParams({ path })}`,
      `Bearer ${token}`,
    );
  }

  #platform(): string {
    return `User ${this.#settings.userSecret}, Organization ${this.#settings.organizationSecret}`;
  }

  async #json<T>(method: string, path: string, authorization: string, body?: unknown): Promise<T> {
    const response = await this.#send(
      method,
      path,
      authorization,
      body === undefined ? undefined : JSON.stringify(body),
      "application/json",
    );
    const text = await response.text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  async #send(
    method: string,
    path: string,
    authorization: string,
    body?: string | Uint8Array,
    contentType?: string,
  ): Promise<Response> {
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), TIMEOUT_MS);
    const response = await fetch(this.#settings.baseUrl + path, {
      method,
      headers: {
        Authorization: authorization,
        ...(body === undefined || contentType === undefined ? {} : { "Content-Type": contentType }),
      },
      ...(body === undefined ? {} : { body: body as never }),
      signal: patience.signal,
    }).finally(() => clearTimeout(timer));
    if (response.ok) return response;
    const error = (await response.json().catch(() => ({}))) as { code?: string; message?: string };
    throw new LinkspanRefusal(
      response.status,
      error.code ?? "unknown",
      error.message ?? `Linkspan answered ${response.status}`,
    );
  }
}

class ReadableStreamOfNothing extends globalThis.ReadableStream<Uint8Array> {
  constructor() {
    super({ start: (controller) => controller.close() });
  }
}
