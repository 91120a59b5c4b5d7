import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { accountRoutes } from "./account-routes.ts";
import { connectRoutes } from "./connect-routes.ts";
import { ConnectedAccounts } from "./connected-accounts.ts";
import { redirect, send } from "./http-answer.ts";
import { inWords } from "./in-words.ts";
import { errorPage, type Notice } from "./layout.ts";
import { type DemoSettings, LinkspanClient, LinkspanRefusal } from "./linkspan-client.ts";
import type { Vendor } from "./pages.ts";
import { type DemoContext, keep, placeOf, type Route, type Visit } from "./visit.ts";

export interface DemoAppOptions {
  /** Origin of this app: `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly settings: DemoSettings;
  readonly vendors: readonly Vendor[];
  readonly dataFolder: string;
  /** Ends the access tokens at a stand-in. */
  readonly expireAccessTokens?: (connector: string) => void;
}

export interface DemoApp {
  serve(request: IncomingMessage, response: ServerResponse): void;
  /**
   * The browser that opens this URL becomes the owner of the accounts that an older version connected;
   * absent if there are no such accounts.
   */
  readonly takeOverUrl?: string;
}

/**
 * A minimal app that uses Linkspan: plain HTML forms that work without JavaScript. The "signed-in" user is a
 * random name in this browser's cookie; this name is the `endUser` of the hosted flow. Every user of this
 * machine can open the app, so a browser sees only the accounts that it connected, and no page shows a secret.
 *
 * Each form is answered by a redirect to a page, which shows once what came of it: a reload repeats nothing.
 */
export function demoApp(options: DemoAppOptions): DemoApp {
  const accounts = new ConnectedAccounts(options.dataFolder);
  const context: DemoContext = {
    ...options,
    linkspan: new LinkspanClient(options.settings),
    accounts,
    notices: keep<Notice>(1_000),
    sessions: keep(1_000),
  };
  const routes: Readonly<Record<string, Route>> = { ...connectRoutes(context), ...accountRoutes(context) };
  const takeOverKey = accounts.hasOwnerless() ? randomBytes(24).toString("base64url") : undefined;
  const takeOverPath = `/take-over/${takeOverKey}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // `localhost` reaches this server, too; but the registered callback and return URLs and this browser's
    // cookie belong to one origin.
    if (request.method !== "POST" && request.headers.host !== new URL(options.url).host)
      return redirect(response, options.url + (request.url ?? "/"));
    const url = new URL(request.url ?? "/", options.url);
    const endUser = endUserOf(request, response);
    if (request.method === "POST" && request.headers.origin !== options.url) {
      return send(response, 403, errorPage("Refused", "This form was sent from another site."));
    }
    if (request.method === "GET" && takeOverKey !== undefined && url.pathname === takeOverPath) {
      accounts.giveOwnerlessTo(endUser);
      return redirect(response, "/");
    }
    const method = request.method === "HEAD" ? "GET" : request.method;
    const route = routes[`${method} ${patternOf(url.pathname)}`];
    if (route === undefined) return send(response, 404, errorPage("Not found", "There is no such page."));
    const account = accounts.find(Number(url.pathname.split("/")[2]), endUser);
    if (url.pathname.startsWith("/accounts/") && account === undefined)
      return send(response, 404, errorPage("Not found", "This account is not connected."));
    const visit: Visit = { request, response, url, endUser, path: url.searchParams.get("path") ?? "/" };
    try {
      await route(visit, account as NonNullable<typeof account>);
    } catch (error) {
      if (!(error instanceof LinkspanRefusal) || response.headersSent || isPage(method, url)) throw error;
      // A failed action leads back to where it was made, and says there what to do.
      context.notices.set(endUser, { kind: "bad", text: inWords(error) });
      redirect(response, account === undefined ? "/" : placeOf(account.instanceId, visit.path));
    }
  }

  function serve(request: IncomingMessage, response: ServerResponse): void {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy();
      const [status, words] =
        error instanceof LinkspanRefusal
          ? [error.status, inWords(error)]
          : [500, error instanceof Error ? error.message : "Unknown error"];
      send(response, status, errorPage("The request failed", words));
    });
  }

  return { serve, ...(takeOverKey === undefined ? {} : { takeOverUrl: options.url + takeOverPath }) };
}

/** A page that shows a place, as opposed to an action or a download, which are begun from such a page. */
function isPage(method: string | undefined, url: URL): boolean {
  return method === "GET" && /^\/(?:accounts\/\d+)?$/.test(url.pathname) && !url.searchParams.has("claim");
}

function patternOf(pathname: string): string {
  return pathname
    .replace(/^\/accounts\/\d+/, "/accounts/{id}")
    .replace(/^\/callback\/\w+$/, "/callback/{connector}");
}

function endUserOf(request: IncomingMessage, response: ServerResponse): string {
  const known = /(?:^|;\s*)demo_user=([\w-]{20,})/.exec(request.headers.cookie ?? "")?.[1];
  if (known !== undefined) return known;
  const fresh = randomBytes(18).toString("base64url");
  response.setHeader("Set-Cookie", `demo_user=${fresh}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000`);
  return fresh;
}
