import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import { LinkspanError, Unavailable } from "../core/errors.ts";
import type { HttpHandler, HttpRequest, HttpResponse } from "../http/request.ts";
import { type Brand, brandHeader, brandStyle } from "./brand.ts";
import { PAGE_STYLE } from "./page-style.ts";

export type Html = ReturnType<typeof html>;

/**
 * A source of the Content-Security-Policy that allows one style sheet, by its hash. The page has no scripts and
 * no frames, and loads nothing from other hosts.
 */
function styleSource(style: string): string {
  return `'sha256-${createHash("sha256").update(style).digest("base64")}'`;
}
const PAGE_STYLE_SOURCE = styleSource(PAGE_STYLE);

/**
 * Headers of every page and redirect of the hosted flow. No `form-action`, because browsers apply it to the
 * redirects of a form, too, and the form here redirects to the vendor. No `Cross-Origin-Opener-Policy`,
 * because a popup must reach its opener again.
 */
const PAGE_HEADERS = {
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/**
 * A page for people: plain HTML that works without JavaScript.
 * @param brand whose page it is; absent: not known
 */
export function page(
  status: number,
  title: string,
  content: Html,
  headers: Readonly<Record<string, string>> = {},
  brand?: Brand,
): HttpResponse<never> {
  const ownStyle = brand === undefined ? "" : brandStyle(brand);
  const styles = ownStyle === "" ? PAGE_STYLE_SOURCE : `${PAGE_STYLE_SOURCE} ${styleSource(ownStyle)}`;
  return {
    status,
    headers: {
      ...PAGE_HEADERS,
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": `default-src 'none'; style-src ${styles}; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'`,
      "X-Frame-Options": "DENY",
      ...headers,
    },
    body: String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${raw(PAGE_STYLE)}</style>${ownStyle === "" ? "" : html`<style>${raw(ownStyle)}</style>`}
</head>
<body>
${brand === undefined ? "" : brandHeader(brand)}
<main>
${content}
</main>
<footer>Linkspan keeps the connection. Your password stays with the vendor.</footer>
</body>
</html>
`),
  };
}

/**
 * Wraps a handler for calls that a person's browser makes: an error is shown on a page, with the status that
 * an API call would have. Refuses a prefetch, because the user has not opened the link yet.
 */
export function asHtmlPage(handle: HttpHandler): HttpHandler {
  return async (request) => {
    try {
      if (isPrefetch(request)) throw new Unavailable("This page cannot be prefetched");
      return await handle(request);
    } catch (error) {
      // An unexpected error is logged by the error middleware.
      if (!(error instanceof LinkspanError)) throw error;
      request.logContext.code = error.code;
      return page(
        error.status,
        "Something went wrong",
        html`<h1>Something went wrong</h1>
<p role="alert">${error.message}.</p>
<p>Go back to the app that sent you here, and start again there.</p>
<p class="soft">Reference: <code>${request.requestId}</code></p>`,
        error.headers,
      );
    }
  };
}

/**
 * Whether the request is a prefetch. Browsers say so in one of four headers: `Sec-Purpose`
 * (https://fetch.spec.whatwg.org/#sec-purpose-header), `Purpose` (older Chromium),
 * `X-Moz` (older Firefox), `X-Purpose` (Safari's previews).
 */
function isPrefetch({ headers }: HttpRequest): boolean {
  return ["sec-purpose", "purpose", "x-moz", "x-purpose"].some((name) =>
    /\b(?:prefetch|prerender|preview)\b/i.test(headers[name] ?? ""),
  );
}

/**
 * Redirects the browser, with 303, so that after a form's POST the browser sends a GET (RFC 9110 section
 * 15.4.4).
 */
export function redirect(to: string, headers: Readonly<Record<string, string>> = {}): HttpResponse<never> {
  return { status: 303, headers: { ...PAGE_HEADERS, Location: to, ...headers } };
}
