import { describe, it } from "vitest";
import { stripHtml } from "../../functions/connections/strip-html.ts";
import { cutSecrets } from "../../functions/core/cut-secrets.ts";
import { withoutSecrets } from "../../functions/core/documents/vendor-failure.ts";
import { dropbox } from "../../functions/core/documents/vendors/dropbox/dropbox.ts";
import { oauthError } from "../../functions/core/oauth/oauth-errors.ts";
import { parseJson } from "../../functions/core/parse-json.ts";
import { retryAfterMs } from "../../functions/core/retry-after.ts";
import { contentDisposition, rangeOf } from "../../functions/documents/answer-download.ts";
import { parseAuthorization } from "../../functions/http/authorize.ts";
import { findInstanceToken } from "../../functions/proxy/credential-place.ts";
import { headersForCaller, headersForVendor } from "../../functions/proxy/proxy-headers.ts";
import { rewriteJsonFields, rewriteLinkHeader } from "../../functions/proxy/rewrite-urls.ts";
import { expectLinear } from "../linear.ts";

/** Runs the code; an error counts as an answer too. */
const quietly = (run: () => unknown) => {
  try {
    run();
  } catch {}
};
const TOKEN = `lsi_1.${"t".repeat(43)}`;
const same = (url: string) => url;

/**
 * Every function that reads a text of a caller or a vendor, with texts that would take long if the function went back and
 * forth.
 */
const READERS: Readonly<Record<string, (size: number) => unknown>> = {
  "labels full of unfinished tags": (size) => stripHtml("<".repeat(size)),
  "labels full of brackets that begin no tag": (size) => stripHtml("< ".repeat(size)),
  "labels full of tags": (size) => stripHtml("<a>".repeat(size)),
  "a long secret that a vendor's text nearly repeats": (size) =>
    cutSecrets("a".repeat(size), [`${"a".repeat(4_000)}b${"a".repeat(4_000)}`]),
  "a vendor's refusal full of words that look like secrets": (size) =>
    withoutSecrets(`${"Bearer ".repeat(size)}${"token".repeat(size)}${"sl.".repeat(size)}`, []),
  "an OAuth error of one long word": (size) =>
    oauthError({ error: `${"a".repeat(size)}: ${" ".repeat(size)}` }, []),
  "an OAuth error of one long word in capitals": (size) =>
    oauthError({ error: { code: `${"A_".repeat(size)}: ${" ".repeat(size)}` } }, []),
  "a Dropbox id that ends in slashes": (size) => dropbox.openId(`/${"/".repeat(size)}x${"/".repeat(size)}`),
  "a JSON text of escaped quotes without end": (size) => parseJson(`"${'\\"'.repeat(size)}"`),
  "a vendor's JSON of strings without end, to rewrite": (size) =>
    rewriteJsonFields(`"a":"\\${'"\\'.repeat(size)}`, ["a"], same),
  "a vendor's JSON of blanks and strings, to rewrite": (size) =>
    rewriteJsonFields(`{"a":${" ".repeat(size)}[${'"x",'.repeat(size)}1]}`, ["a"], same),
  "a vendor's JSON of one string and blanks, to rewrite": (size) =>
    rewriteJsonFields(`["x"${" ".repeat(size)}${'"y" '.repeat(size)}]`, ["a"], same),
  "a Link header of opening brackets": (size) => rewriteLinkHeader("<".repeat(size), same),
  "a vendor's Connection header of many names": (size) =>
    headersForCaller([
      ["Connection", "a,".repeat(size)],
      ...Array.from({ length: size }, (_, index): [string, string] => [`x-${index}`, "1"]),
    ]),
  "a caller's Connection header of many names": (size) =>
    headersForVendor(
      {
        connection: "a,".repeat(size),
        ...Object.fromEntries(Array.from({ length: size }, (_, index) => [`x-${index}`, "1"])),
      },
      TOKEN,
    ),
  "an Authorization header of commas and blanks": (size) =>
    quietly(() => parseAuthorization(`${" ,".repeat(size)}user ${"a".repeat(size)}`)),
  "headers that nearly hold a token": (size) =>
    quietly(() =>
      findInstanceToken({
        headers: {
          authorization: `element ${" ".repeat(size)},`.repeat(2),
          "x-a": `Bearer${" ".repeat(size)}`,
        },
        query: [["a", `Bearer ${" ".repeat(size)}x`]],
      }),
    ),
  "a file name of quotes": (size) => contentDisposition('"'.repeat(size)),
  "a Range header": (size) => rangeOf(`bytes=${"1-,".repeat(size)}`),
  "a Retry-After of digits": (size) => retryAfterMs({ "retry-after": `${"1".repeat(size)} x`, date: "x" }),
};

describe("no reader takes a time that grows faster than its text:", () => {
  it.each(Object.entries(READERS))("%s", (_, read) => {
    expectLinear(read, 20_000);
  });
});
