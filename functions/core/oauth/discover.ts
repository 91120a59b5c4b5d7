import { LRUCache } from "lru-cache";
import { type Connector, DISCOVERED_URLS } from "../../connectors/define-connector.ts";
import { type EndpointValues, filled } from "../endpoint/endpoint.ts";
import { isBelow } from "../endpoint/value-format.ts";
import { Unavailable, VendorError } from "../errors.ts";
import { present } from "../present.ts";
import { readAnswer } from "../vendor-answer/read-answer.ts";
import { type VendorHttp, type VendorResponse, VendorUnreachable } from "../vendor-http.ts";

/** Time limit for a document's headers, and again for its body, in milliseconds. */
const TIMEOUT_MS = 5_000;
const MAX_BYTES = 100_000;
/** A URL of a document is stored in the grant, whose size is limited. */
const MAX_URL_CHARACTERS = 1_000;
/** How long a document is cached, in milliseconds: long enough for the callback of most authorization URLs. */
const CACHE_MS = 10 * 60_000;
const CACHE_DOCUMENTS = 200;

type Document = Readonly<Record<string, unknown>>;

/** The metadata of an authorization server (RFC 8414 section 2), as far as a sign-in needs it. */
export interface ServerMetadata {
  readonly issuer: string;
  readonly urls: Readonly<Partial<Record<(typeof DISCOVERED_URLS)[number], string>>>;
  /** The server promises `iss` in its answers (RFC 9207 section 3). */
  readonly issRequired: boolean;
}

/**
 * Reads the metadata document of a connector with `discovery`.
 * @param values for the places in the issuer's URL
 * @param vendorHosts hosts that the organization allows, besides the connector's own
 * @throws {Unavailable} 503 `vendor_unreachable`: there is no answer, or none now
 * @throws {VendorError} 502 `vendor_metadata_unusable`: no document, another issuer's, or one that names hosts
 *   beyond the lists
 */
export type Discover = (
  connector: Connector,
  values: EndpointValues,
  vendorHosts: readonly string[],
) => Promise<ServerMetadata>;

export function discovery(http: VendorHttp, options: { readonly now?: () => number } = {}): Discover {
  const { now = () => performance.now() } = options;
  const documents = new LRUCache<string, Document>({
    max: CACHE_DOCUMENTS,
    ttl: CACHE_MS,
    ttlResolution: 0,
    perf: { now },
  });

  /** @returns undefined: there is no document at this URL */
  async function read(url: string): Promise<Document | undefined> {
    const response = await send(url);
    if (response.status !== 200) {
      response.body.destroy();
      if (response.status === 429 || response.status >= 500)
        throw new VendorUnreachable(`status ${response.status}`, { sent: true });
      return undefined;
    }
    const { value } = await readAnswer(response, { maxBytes: MAX_BYTES, timeoutMs: TIMEOUT_MS });
    return typeof value === "object" && value !== null ? (value as Document) : undefined;
  }

  const send = (url: string): Promise<VendorResponse> =>
    http.send({
      method: "GET",
      url,
      headers: [
        ["Accept", "application/json"],
        ["Accept-Encoding", "identity"],
      ],
      allowedHosts: [new URL(url).host],
      timeoutMs: TIMEOUT_MS,
    });

  async function readOf({ name }: Connector, issuer: string): Promise<Document> {
    for (const url of documentUrls(issuer)) {
      const document = await read(url).catch((error: unknown) => {
        if (!(error instanceof VendorUnreachable)) throw error;
        throw new Unavailable(`${name} does not send its URLs right now; try again`, "vendor_unreachable");
      });
      if (document !== undefined) return document;
    }
    throw unusable(name, `there is no document of ${issuer}`);
  }

  return async (connector, values, vendorHosts) => {
    const { discovery: asked } = connector.oauth2;
    if (asked === undefined) throw new Error(`${connector.key} has no discovery`);
    const issuer = filled(connector, asked.issuer, values);
    const known = documents.get(issuer);
    const document = known ?? (await readOf(connector, issuer));
    const metadata = checked(connector, issuer, document, [...(asked.hosts ?? []), ...vendorHosts]);
    if (known === undefined) documents.set(issuer, document);
    return metadata;
  };
}

/**
 * The possible URLs of an issuer's document: RFC 8414 section 3.1 puts the well-known path before the issuer's
 * own path, OpenID Connect Discovery section 4 puts it after.
 */
function documentUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, "");
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
}

/** @throws {VendorError} the document is another issuer's, lacks a URL, or names a host that it may not name */
function checked(
  connector: Connector,
  issuer: string,
  document: Document,
  listed: readonly string[],
): ServerMetadata {
  const told = document.issuer;
  if (!isSameIssuer(told, issuer)) {
    throw unusable(connector.name, `the document of ${issuer} names another issuer`);
  }
  const allowed = [new URL(issuer).host, ...listed];
  const urls = Object.fromEntries(
    DISCOVERED_URLS.map((name) => [name, urlIn(connector, document, name, allowed)]),
  );
  for (const name of ["authorization_endpoint", "token_endpoint"]) {
    if (urls[name] === undefined) throw unusable(connector.name, `the document of ${issuer} has no ${name}`);
  }
  return {
    issuer: told,
    urls: present(urls),
    issRequired: document.authorization_response_iss_parameter_supported === true,
  };
}

/** RFC 8414 section 3.3 requires the same text; some servers add a slash at the end. */
function isSameIssuer(told: unknown, issuer: string): told is string {
  return typeof told === "string" && told.replace(/\/$/, "") === issuer.replace(/\/$/, "");
}

function urlIn(
  connector: Connector,
  document: Document,
  name: string,
  allowed: readonly string[],
): string | undefined {
  const text = document[name];
  if (text === undefined || text === null) return undefined;
  const url = typeof text === "string" && text.length <= MAX_URL_CHARACTERS ? URL.parse(text) : null;
  const isPlain = url?.protocol === "https:" && url.username === "" && url.password === "" && url.hash === "";
  if (!isPlain)
    throw unusable(connector.name, `its ${name} is no https URL of at most ${MAX_URL_CHARACTERS} characters`);
  if (!allowed.some((each) => isBelow(url.host, each))) {
    throw unusable(
      connector.name,
      `its ${name} is at ${url.host}, which is neither its own host nor on a list; an operator allows it with "organization allow-vendor-host"`,
    );
  }
  return url.href;
}

function unusable(name: string, why: string): VendorError {
  return new VendorError(502, "vendor_metadata_unusable", `${name}'s metadata cannot be used: ${why}`);
}
