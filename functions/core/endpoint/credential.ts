import type { Credential } from "../../connectors/define-connector.ts";
import type { VendorRequest } from "../vendor-http.ts";

type Addressed = Pick<VendorRequest, "url" | "headers">;

/** Puts the access token where the vendor expects it, and removes any other value in that place. */
export function withCredential(credential: Credential, accessToken: string, request: Addressed): Addressed {
  switch (credential.in) {
    case "header": {
      const { name, scheme } = credential;
      const value = scheme === undefined ? accessToken : `${scheme} ${accessToken}`;
      return { ...request, headers: [[name, value], ...without(request.headers, name)] };
    }
    case "basic": {
      // RFC 7617: the user's name and the password as one text in UTF-8.
      const pair = credential.token === "user" ? `${accessToken}:` : `:${accessToken}`;
      const value = `Basic ${Buffer.from(pair).toString("base64")}`;
      return {
        ...request,
        headers: [["Authorization", value], ...without(request.headers, "authorization")],
      };
    }
    case "query": {
      const { name } = credential;
      const [path = "", query = ""] = request.url.split(/\?(.*)/s);
      const others = query.split("&").filter((pair) => pair !== "" && nameOf(pair) !== name);
      const pairs = [...others, `${encodeURIComponent(name)}=${encodeURIComponent(accessToken)}`];
      return { ...request, url: `${path}?${pairs.join("&")}` };
    }
  }
}

/** Lower-case name of the header that carries a credential. @returns undefined: no header does */
export function credentialHeader(credential: Credential): string | undefined {
  if (credential.in === "query") return undefined;
  return credential.in === "basic" ? "authorization" : credential.name.toLowerCase();
}

function without(headers: Addressed["headers"], name: string): Addressed["headers"] {
  return headers.filter(([each]) => each.toLowerCase() !== name.toLowerCase());
}

function nameOf(pair: string): string {
  return new URLSearchParams(pair).keys().next().value ?? "";
}
