import type { VendorApi } from "../connectors/define-connector.ts";
import { Unauthorized } from "../core/errors.ts";

/** Shape of an instance token (core/instances/instance-token.ts): no other value in a request has this shape. */
const TOKEN = /^lsi_[0-9a-z]{1,11}\.[A-Za-z0-9_-]{43}$/;

/** A place in a request that can hold the instance token. */
export type TokenPlace =
  /** The API's own header `User …, Organization …, Element …`: all of its parts are checked. */
  | { readonly in: "three-part" }
  | { readonly in: "header"; readonly name: string; readonly scheme: string | undefined }
  | { readonly in: "basic" }
  | { readonly in: "query"; readonly name: string };

export interface FoundToken {
  readonly token: string;
  /** All places that hold the token, in the order of the request; at least one. */
  readonly places: readonly TokenPlace[];
}

interface Carrier {
  readonly headers: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [name: string, value: string])[];
}

/**
 * Finds the instance token where a vendor's SDK puts its credential. The connector is known only after the
 * token is looked up, so this searches all places; `isCredentialPlace` then checks each place.
 * @throws {Unauthorized} the request has no instance token, or two different ones
 */
export function findInstanceToken({ headers, query }: Carrier): FoundToken {
  const found: { readonly token: string; readonly place: TokenPlace }[] = [];
  for (const [name, value] of Object.entries(headers)) {
    const [, scheme, credential = ""] = /^(?:([A-Za-z][A-Za-z-]*) +)?(\S+)$/.exec(value.trim()) ?? [];
    if (TOKEN.test(credential)) {
      found.push({ token: credential, place: { in: "header", name, scheme: scheme?.toLowerCase() } });
    } else if (name === "authorization" && /(^|,)\s*element\s/i.test(value)) {
      const token = /(?:^|,)\s*element\s+([^\s,]+)/i.exec(value)?.[1] ?? "";
      if (TOKEN.test(token)) found.push({ token, place: { in: "three-part" } });
    } else if (name === "authorization" && scheme?.toLowerCase() === "basic") {
      const password = /^[^:]*:(.*)$/s.exec(Buffer.from(credential, "base64").toString("utf8"))?.[1] ?? "";
      // The password may end with a pasted line break.
      if (TOKEN.test(password.trim())) found.push({ token: password.trim(), place: { in: "basic" } });
    }
  }
  for (const [name, value] of query) {
    const bare = value.trim().replace(/^Bearer +/i, "");
    if (TOKEN.test(bare)) found.push({ token: bare, place: { in: "query", name } });
  }
  const [first] = found;
  if (first === undefined) {
    throw new Unauthorized(
      "the proxy needs an instance token: send Authorization: Bearer <instance token>, or put it where this vendor takes its own credential",
    );
  }
  if (found.some(({ token }) => token !== first.token)) {
    throw new Unauthorized("the request carries two different instance tokens");
  }
  return { token: first.token, places: found.map(({ place }) => place) };
}

/** Whether the vendor's API, or Linkspan's own, takes a credential at this place. */
export function isCredentialPlace(api: VendorApi, place: TokenPlace): boolean {
  switch (place.in) {
    case "three-part":
    case "basic":
      return true;
    case "header":
      return (
        (place.name === "authorization" && ["bearer", "token", "element"].includes(place.scheme ?? "")) ||
        places(api).some(
          (each) =>
            each.in === "header" &&
            each.name.toLowerCase() === place.name &&
            (each.scheme?.toLowerCase() ?? undefined) === place.scheme,
        )
      );
    case "query":
      return places(api).some((each) => each.in === "query" && each.name === place.name);
  }
}

function places(api: VendorApi) {
  return [api.credential, ...(api.otherCredentials ?? [])];
}
