import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../../local/clock.ts";
import { startBox } from "../../local/vendors/box/stand-in.ts";
import { startDropbox } from "../../local/vendors/dropbox/stand-in.ts";
import { startGoogleDrive } from "../../local/vendors/googledrive/stand-in.ts";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import { FormBrowser, type Page } from "../form-browser.ts";

export const REDIRECT_URI = "http://127.0.0.1:9/app/callback?from=vendor";
export const APP = { clientId: "app-key", clientSecret: "app-secret", redirectUris: [REDIRECT_URI] };

/** What the tests of all vendors need to know of each vendor. */
export interface VendorUnderTest {
  readonly name: string;
  /** `dataFolder`: where its state is kept; without it, in memory. */
  start(clock: Clock, dataFolder?: string): Promise<StandIn>;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly oauth: {
    /** The vendor checks a challenge and its verifier (RFC 7636). */
    readonly pkce?: true;
    /** The vendor accepts the client's secret as HTTP Basic, too. */
    readonly basic?: true;
    /** Each refresh returns a new refresh token. */
    readonly rotates?: true;
    /** Revoking one token ends all grants of the user for the app. */
    readonly revokesAll?: true;
  };
  /** Parameters of the authorization URL that ask for a refresh token. */
  readonly offline: Readonly<Record<string, string>>;
  /** One cheap call that needs a token. */
  probe(fetchVendor: typeof fetch, accessToken: string): Promise<Response>;
  /** Revokes the access token. */
  revoke(fetchVendor: typeof fetch, accessToken: string): Promise<Response>;
}

export const VENDORS: readonly VendorUnderTest[] = [
  {
    name: "Dropbox",
    start: (clock, dataFolder) => startDropbox({ clock, app: APP, ...(dataFolder && { dataFolder }) }),
    authorizationUrl: "https://www.dropbox.com/oauth2/authorize",
    tokenUrl: "https://api.dropboxapi.com/oauth2/token",
    oauth: { pkce: true, basic: true },
    offline: { token_access_type: "offline" },
    probe: (fetchVendor, accessToken) =>
      fetchVendor("https://api.dropboxapi.com/2/users/get_current_account", {
        method: "POST",
        headers: { Authorization: `Bearer ${accessToken}` },
      }),
    revoke: (fetchVendor, accessToken) =>
      fetchVendor("https://api.dropboxapi.com/2/auth/token/revoke", {
        method: "POST",
        headers: { Authorization: `Bearer ${accessToken}` },
      }),
  },
  {
    name: "Google Drive",
    start: (clock, dataFolder) => startGoogleDrive({ clock, app: APP, ...(dataFolder && { dataFolder }) }),
    authorizationUrl: "https://accounts.google.com/o/oauth2/v2/auth",
    tokenUrl: "https://oauth2.googleapis.com/token",
    oauth: { pkce: true, basic: true, revokesAll: true },
    offline: { access_type: "offline", prompt: "consent", scope: "https://www.googleapis.com/auth/drive" },
    probe: (fetchVendor, accessToken) =>
      fetchVendor("https://www.googleapis.com/drive/v3/about?fields=user", {
        headers: { Authorization: `Bearer ${accessToken}` },
      }),
    revoke: (fetchVendor, accessToken) =>
      fetchVendor("https://oauth2.googleapis.com/revoke", {
        method: "POST",
        body: new URLSearchParams({ token: accessToken }),
      }),
  },
  {
    name: "Box",
    start: (clock, dataFolder) => startBox({ clock, app: APP, ...(dataFolder && { dataFolder }) }),
    authorizationUrl: "https://account.box.com/api/oauth2/authorize",
    tokenUrl: "https://api.box.com/oauth2/token",
    oauth: { rotates: true },
    offline: {},
    probe: (fetchVendor, accessToken) =>
      fetchVendor("https://api.box.com/2.0/users/me", {
        headers: { Authorization: `Bearer ${accessToken}` },
      }),
    revoke: (fetchVendor, accessToken) =>
      fetchVendor("https://api.box.com/oauth2/revoke", {
        method: "POST",
        body: new URLSearchParams({
          client_id: APP.clientId,
          client_secret: APP.clientSecret,
          token: accessToken,
        }),
      }),
  },
];

/**
 * An authorization URL as the vendor documents it. Later parameters replace earlier ones; an empty value removes a parameter.
 */
export function authorizationUrl(
  vendor: VendorUnderTest,
  changes: Readonly<Record<string, string>> = {},
): string {
  const parameters = {
    client_id: APP.clientId,
    response_type: "code",
    redirect_uri: REDIRECT_URI,
    state: "st&te = ü+%2B",
    ...vendor.offline,
    ...changes,
  };
  const query = Object.entries(parameters).filter(([, value]) => value !== "");
  return `${vendor.authorizationUrl}?${new URLSearchParams(query)}`;
}

/** The same URL at the stand-in, as a browser on this machine opens it. */
export function atStandIn(standIn: StandIn, url: string): string {
  const { pathname, search } = new URL(url);
  return `${standIn.origin}${pathname}${search}`;
}

export function browser(): FormBrowser {
  return new FormBrowser({ stopAt: (url) => url.startsWith("http://127.0.0.1:9/") });
}

/** Goes through login and consent, and returns the parameters that the app's callback gets. */
export async function allow(standIn: StandIn, url: string, login?: string): Promise<URLSearchParams> {
  const person = browser();
  const page = await signIn(person, standIn, url, login);
  return new URL((await person.submit(page, /^allow$/i)).url).searchParams;
}

export async function signIn(
  person: FormBrowser,
  standIn: StandIn,
  url: string,
  login?: string,
): Promise<Page> {
  const page = await person.open(atStandIn(standIn, url));
  return person.submit(page, /^sign in$/i, login === undefined ? {} : { login });
}

/** A PKCE pair (RFC 7636). */
export function pkce(): { verifier: string; challenge: string } {
  const verifier = randomBytes(48).toString("base64url");
  return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}
