/**
 * A browser without JavaScript, for tests: cookies, redirects, forms. It uses login and consent pages as a person does, by
 * their labels and buttons, so a test fails when a page becomes unusable.
 */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

interface Form {
  readonly action: string;
  readonly method: string;
  readonly fields: URLSearchParams;
  readonly buttons: readonly { readonly name: string; readonly value: string; readonly text: string }[];
}

const MAX_REDIRECTS = 10;

export class FormBrowser {
  readonly #cookies = new Map<string, Map<string, string>>();
  /** URLs at which the browser stops: the app's own callback, which no server answers in a test. */
  readonly #stopAt: (url: string) => boolean;

  constructor(options: { stopAt?: (url: string) => boolean } = {}) {
    this.#stopAt = options.stopAt ?? (() => false);
  }

  open(url: string): Promise<Page> {
    return this.#go("GET", url);
  }

  /** Fills in the page's form and presses the button whose text matches; hidden and preset fields are sent too. */
  submit(page: Page, button: RegExp, values: Readonly<Record<string, string>> = {}): Promise<Page> {
    const form = formsOf(page).find((each) => each.buttons.some((one) => button.test(one.text)));
    if (form === undefined)
      throw new Error(
        `no form with a button ${button} on ${page.url} (${page.status}): ${page.text.slice(0, 300)}`,
      );
    const pressed = form.buttons.find((one) => button.test(one.text));
    const fields = new URLSearchParams(form.fields);
    for (const [name, value] of Object.entries(values)) fields.set(name, value);
    if (pressed !== undefined && pressed.name !== "") fields.set(pressed.name, pressed.value);
    const action = new URL(form.action, page.url);
    if (form.method === "GET") {
      action.search = fields.toString();
      return this.#go("GET", action.href);
    }
    return this.#go("POST", action.href, fields, new URL(page.url).origin);
  }

  async #go(method: string, url: string, fields?: URLSearchParams, origin?: string): Promise<Page> {
    let [at, by, body] = [url, method, fields];
    for (let hop = 0; hop < MAX_REDIRECTS; hop++) {
      if (this.#stopAt(at)) return { url: at, status: 0, text: "", headers: new Headers() };
      const response = await fetch(at, {
        method: by,
        redirect: "manual",
        headers: { Cookie: this.#cookieHeader(at), ...(origin === undefined ? {} : { Origin: origin }) },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(20_000),
      });
      this.#keepCookies(at, response.headers);
      const location = response.headers.get("location");
      if (location === null || response.status < 300 || response.status > 399) {
        return { url: at, status: response.status, text: await response.text(), headers: response.headers };
      }
      await response.body?.cancel();
      at = new URL(location, at).href;
      if (response.status !== 307 && response.status !== 308) [by, body] = ["GET", undefined];
    }
    throw new Error(`more than ${MAX_REDIRECTS} redirects from ${url}`);
  }

  #cookieHeader(url: string): string {
    return [...(this.#cookies.get(new URL(url).host) ?? [])]
      .map(([name, value]) => `${name}=${value}`)
      .join("; ");
  }

  #keepCookies(url: string, headers: Headers): void {
    const jar = this.#cookies.get(new URL(url).host) ?? new Map<string, string>();
    for (const line of headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0/i.test(line) || value === "") jar.delete(name);
      else jar.set(name, value);
    }
    this.#cookies.set(new URL(url).host, jar);
  }
}

function formsOf(page: Page): Form[] {
  return [...page.text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(
    ([, attributes = "", content = ""]) => {
      const fields = new URLSearchParams();
      for (const [, input = ""] of content.matchAll(/<input\b([^>]*)>/gi)) {
        const type = attribute(input, "type")?.toLowerCase();
        const name = attribute(input, "name");
        if (name === undefined || type === "submit") continue;
        if ((type === "radio" || type === "checkbox") && !/\bchecked\b/i.test(input)) continue;
        fields.append(name, attribute(input, "value") ?? "");
      }
      for (const [, select = "", options = ""] of content.matchAll(
        /<select\b([^>]*)>([\s\S]*?)<\/select>/gi,
      )) {
        const name = attribute(select, "name");
        const chosen =
          /<option\b([^>]*selected[^>]*)>/i.exec(options)?.[1] ?? /<option\b([^>]*)>/i.exec(options)?.[1];
        if (name !== undefined && chosen !== undefined) fields.append(name, attribute(chosen, "value") ?? "");
      }
      const buttons = [...content.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)].map(
        ([, button = "", label = ""]) => ({
          name: attribute(button, "name") ?? "",
          value: attribute(button, "value") ?? "",
          text: unescapeHtml(label.replace(/<[^>]+>/g, "")).trim(),
        }),
      );
      return {
        action: attribute(attributes, "action") ?? page.url,
        method: (attribute(attributes, "method") ?? "get").toUpperCase(),
        fields,
        buttons,
      };
    },
  );
}

function attribute(tag: string, name: string): string | undefined {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, "i").exec(tag);
  const value = found?.[1] ?? found?.[2] ?? found?.[3];
  return value === undefined ? undefined : unescapeHtml(value);
}

function unescapeHtml(text: string): string {
  return text
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}
