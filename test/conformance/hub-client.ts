/** One answer of the hub; `json` is parsed where it is JSON. */
export interface HubAnswer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  readonly json: T;
}

export interface HubItem {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly directory: boolean;
  readonly size?: number;
  readonly createdDate?: string;
  readonly modifiedDate?: string;
  readonly parentFolderId?: string;
  readonly tags: string[];
  readonly refId?: string;
  readonly properties: { mimeType?: string; hash?: string };
  readonly raw?: unknown;
}

export interface HubError {
  readonly requestId: string;
  readonly message: string;
  readonly code: string;
  readonly detail?: { field?: string; vendor?: { status: number }; call?: string; connector?: string };
}

export interface HubRequest {
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  readonly json?: unknown;
  readonly body?: Uint8Array | string | FormData;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** An app that knows one instance's token and the wire contract, and nothing else. */
export class HubClient {
  readonly baseUrl: string;
  readonly #authorization: string | undefined;

  constructor(baseUrl: string, token?: string) {
    this.baseUrl = baseUrl;
    this.#authorization = token === undefined ? undefined : `Bearer ${token}`;
  }

  /** The response with its body not yet read, for tests that check how the body arrives. */
  open(method: string, path: string, request: HubRequest = {}): Promise<Response> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(request.query ?? {})) {
      for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
    }
    const search = query.size === 0 ? "" : `?${query}`;
    return fetch(path.startsWith("http") ? path : `${this.baseUrl}${path}${search}`, {
      method,
      headers: {
        ...(this.#authorization === undefined ? {} : { Authorization: this.#authorization }),
        ...(request.json === undefined ? {} : { "Content-Type": "application/json" }),
        ...request.headers,
      },
      ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
      ...(request.body === undefined ? {} : { body: request.body as never }),
      signal: request.signal ?? AbortSignal.timeout(60_000),
    });
  }

  async call<T = unknown>(method: string, path: string, request: HubRequest = {}): Promise<HubAnswer<T>> {
    const response = await this.open(method, path, request);
    const bytes = Buffer.from(await response.arrayBuffer());
    const isJson = response.headers.get("content-type")?.includes("application/json") ?? false;
    return {
      status: response.status,
      headers: response.headers,
      bytes,
      json: (isJson && bytes.length > 0 ? JSON.parse(bytes.toString("utf8")) : undefined) as T,
    };
  }

  /** @throws when the answer is not 200 */
  async ok<T = HubItem>(method: string, path: string, request: HubRequest = {}): Promise<T> {
    const answer = await this.call<T>(method, path, request);
    if (answer.status !== 200) {
      throw new Error(
        `${method} ${path} answered ${answer.status}: ${answer.bytes.toString("utf8").slice(0, 500)}`,
      );
    }
    return answer.json;
  }

  /** Uploads as old clients do: a form with the part `file`. */
  upload(path: string, content: string | Uint8Array, query: HubRequest["query"] = {}): Promise<HubItem> {
    const form = new FormData();
    form.set("file", new File([content as never], path.split("/").at(-1) || "file"));
    return this.ok("POST", "/hubs/documents/files", { query: { path, ...query }, body: form });
  }

  contents(path: string, query: HubRequest["query"] = {}): Promise<HubAnswer<HubItem[]>> {
    return this.call("GET", "/hubs/documents/folders/contents", { query: { path, ...query } });
  }

  metadata(path: string): Promise<HubAnswer<HubItem>> {
    return this.call("GET", "/hubs/documents/files/metadata", { query: { path } });
  }

  async bytes(path: string): Promise<Buffer> {
    const answer = await this.call("GET", "/hubs/documents/files", { query: { path } });
    if (answer.status !== 200) throw new Error(`download answered ${answer.status}`);
    return answer.bytes;
  }
}
