import type { DemoFile } from "../../local/demo/demo-tenant.ts";
import { FormBrowser, type Page } from "../form-browser.ts";

export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface CreatedInstance {
  readonly id: number;
  readonly token: string;
  readonly [field: string]: unknown;
}

/** An app that uses Linkspan by its wire contract and nothing else. */
export class App {
  readonly settings: DemoFile;

  constructor(settings: DemoFile) {
    this.settings = settings;
  }

  get platformAuthorization(): string {
    return `User ${this.settings.userSecret}, Organization ${this.settings.organizationSecret}`;
  }

  hubAuthorization(token: string): string {
    return `User ${this.settings.userSecret}, Organization ${this.settings.organizationSecret}, Element ${token}`;
  }

  callbackUrl(connector: string): string {
    const url = this.settings.connectors[connector]?.callbackUrls[0];
    if (url === undefined) throw new Error(`no callback URL for ${connector} in demo.json`);
    return url;
  }

  /** A call that sends JSON; the answer's body is parsed when it is JSON. */
  async call<T = unknown>(
    method: string,
    path: string,
    options: {
      authorization?: string;
      json?: unknown;
      body?: string | Uint8Array | FormData;
      headers?: Record<string, string>;
    } = {},
  ): Promise<Answer<T>> {
    const response = await fetch(path.startsWith("http") ? path : this.settings.baseUrl + path, {
      method,
      redirect: "manual",
      headers: {
        ...(options.authorization === undefined ? {} : { Authorization: options.authorization }),
        ...(options.json === undefined ? {} : { "Content-Type": "application/json" }),
        ...options.headers,
      },
      ...(options.json === undefined ? {} : { body: JSON.stringify(options.json) }),
      ...(options.body === undefined ? {} : { body: options.body as never }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") ?? false;
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text !== "" ? JSON.parse(text) : text) as T,
    };
  }

  platform<T = unknown>(method: string, path: string, json?: unknown): Promise<Answer<T>> {
    return this.call<T>(method, path, {
      authorization: this.platformAuthorization,
      ...(json === undefined ? {} : { json }),
    });
  }

  hub<T = unknown>(token: string, method: string, path: string, json?: unknown): Promise<Answer<T>> {
    return this.call<T>(method, path, {
      authorization: `Bearer ${token}`,
      ...(json === undefined ? {} : { json }),
    });
  }

  /** POST oauth/url, with a state of ours, and with PKCE when the vendor supports it. */
  async authorizationUrl(
    connector: string,
    more: Record<string, unknown> = {},
  ): Promise<{ oauthUrl: string; state: string }> {
    const answer = await this.platform<{ oauthUrl: string; state: string }>(
      "POST",
      `/elements/${connector}/oauth/url`,
      {
        callbackUrl: this.callbackUrl(connector),
        ...more,
      },
    );
    if (answer.status !== 200)
      throw new Error(`POST oauth/url answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Signs in at the vendor as a user and allows (or refuses) access; ends at the app's callback. */
  async consent(
    connector: string,
    oauthUrl: string,
    options: { login?: string; allow?: boolean } = {},
  ): Promise<URL> {
    const browser = new FormBrowser({ stopAt: (url) => url.startsWith(this.callbackUrl(connector)) });
    return new URL((await passVendor(browser, await browser.open(oauthUrl), options)).url);
  }

  /** Runs the whole direct flow and returns the answer of POST /instances. */
  async connect(
    connector: string,
    options: { login?: string; name?: string; tags?: string[] } = {},
  ): Promise<CreatedInstance> {
    const { oauthUrl } = await this.authorizationUrl(connector);
    return await this.createInstance(connector, await this.consent(connector, oauthUrl, options), options);
  }

  /** POST /instances with what the vendor sent to the app's callback. */
  async createInstance(
    connector: string,
    back: URL,
    options: { name?: string; tags?: string[]; configuration?: Readonly<Record<string, string>> } = {},
  ): Promise<CreatedInstance> {
    const answer = await this.platform<CreatedInstance>("POST", "/instances", {
      element: { key: connector },
      // All that the vendor sent: some vendors name their hosts there.
      providerData: Object.fromEntries(back.searchParams),
      configuration: { ...options.configuration, "oauth.callback.url": this.callbackUrl(connector) },
      name: options.name ?? `My ${connector}`,
      ...(options.tags === undefined ? {} : { tags: options.tags }),
    });
    if (answer.status !== 200)
      throw new Error(`POST /instances answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
}

/** Goes through a vendor's login page (if the vendor shows one) and its consent page. */
export async function passVendor(
  browser: FormBrowser,
  page: Page,
  options: { login?: string; allow?: boolean } = {},
): Promise<Page> {
  let at = page;
  for (let step = 0; step < 3 && at.status === 200; step++) {
    if (/name="login"/.test(at.text)) {
      at = await browser.submit(
        at,
        /continue|sign in|log in|next/i,
        options.login === undefined ? {} : { login: options.login },
      );
    } else {
      at = await browser.submit(at, options.allow === false ? /cancel|deny/i : /allow/i);
    }
  }
  return at;
}
