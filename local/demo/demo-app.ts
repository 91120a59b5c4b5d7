import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join as joinPath } from "node:path";
import { pipeline } from "node:stream/promises";
import { type ConnectedAccount, ConnectedAccounts } from "./connected-accounts.ts";
import { postCommand, readSecretsCommand } from "./curl-lines.ts";
import { type DemoSettings, LinkspanClient, LinkspanRefusal } from "./linkspan-client.ts";
import {
  type AccountView,
  accountPage,
  callbackPage,
  claimPage,
  errorPage,
  homePage,
  type Notice,
  type Vendor,
} from "./pages.ts";

/**
 * A request to Linkspan may have about 4.5 MB; Linkspan refuses larger ones with a message. This limit only
 * protects memory.
 */
const MAX_BODY_BYTES = 12_000_000;

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
 * A minimal app that uses Linkspan: plain HTML forms, no JavaScript. The "signed-in" user is a random name
 * in this browser's cookie; this name is the `endUser` of the hosted flow. Every user of this machine can
 * open the app, so a browser sees only the accounts that it connected, and no page shows a secret.
 */
export function demoApp(options: DemoAppOptions): DemoApp {
  const linkspan = new LinkspanClient(options.settings);
  const accounts = new ConnectedAccounts(options.dataFolder);
  /**
   * Connect sessions that this app started. A restart loses them; a real app stores them in its database.
   */
  const sessions = new Set<string>();
  const takeOverKey = accounts.hasOwnerless() ? randomBytes(24).toString("base64url") : undefined;
  const takeOverPath = `/take-over/${takeOverKey}`;
  const vendorOf = (key: string) => options.vendors.find((vendor) => vendor.key === key);

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
    const route = `${request.method === "HEAD" ? "GET" : request.method} ${url.pathname.replace(/^\/accounts\/\d+/, "/accounts/{id}").replace(/^\/callback\/\w+$/, "/callback/{connector}")}`;
    const account = accounts.find(Number(url.pathname.split("/")[2]), endUser);
    const path = url.searchParams.get("path") ?? "/";
    if (route.includes("{id}") && account === undefined)
      return send(response, 404, errorPage("Not found", "This account is not connected."));

    if (request.method === "GET" && takeOverKey !== undefined && url.pathname === takeOverPath) {
      accounts.giveOwnerlessTo(endUser);
      return redirect(response, "/");
    }
    switch (route) {
      case "GET /":
        return home(url, response, endUser);
      case "POST /connect": {
        const form = new URLSearchParams((await body(request)).toString("utf8"));
        const session = await linkspan.createSession(form.get("connector") ?? "", `${options.url}/`, endUser);
        sessions.add(session.id);
        return redirect(response, session.connectUrl);
      }
      case "GET /callback/{connector}":
        return send(response, 200, callbackPage(Object.fromEntries(url.searchParams), instanceCommand(url)));
      case "GET /accounts/{id}": {
        const nextPage = url.searchParams.get("nextPage") ?? undefined;
        const shown = await view(account as ConnectedAccount, path, nextPage);
        // Without a listing the page shows the reason, and not the notice about an earlier success.
        return send(
          response,
          200,
          accountPage(shown, typeof shown.page === "string" ? undefined : notice(url)),
        );
      }
      case "GET /accounts/{id}/download": {
        const file = await linkspan.download((account as ConnectedAccount).instanceToken, path);
        response.writeHead(200, downloadHeaders(file.headers));
        return pipeline(file.body, response);
      }
      case "POST /accounts/{id}/upload":
        return upload(request, response, account as ConnectedAccount, path);
      case "POST /accounts/{id}/folders": {
        const name = new URLSearchParams((await body(request)).toString("utf8")).get("name") ?? "";
        await linkspan.createFolder((account as ConnectedAccount).instanceToken, join(path, name));
        return back(response, account as ConnectedAccount, path, `Folder ${name} is created.`);
      }
      case "POST /accounts/{id}/remove": {
        const form = new URLSearchParams((await body(request)).toString("utf8"));
        await linkspan.remove(
          (account as ConnectedAccount).instanceToken,
          form.get("target") ?? "",
          form.get("directory") === "true",
        );
        return back(response, account as ConnectedAccount, path, `${form.get("target")} is deleted.`);
      }
      case "POST /accounts/{id}/refresh":
        await linkspan.refresh((account as ConnectedAccount).instanceId);
        return back(
          response,
          account as ConnectedAccount,
          path,
          "Refreshed: the vendor has given a new access token.",
        );
      case "POST /accounts/{id}/expire":
        options.expireAccessTokens?.((account as ConnectedAccount).connector);
        return back(
          response,
          account as ConnectedAccount,
          path,
          "The vendor ended the access token, and this listing came with a new one.",
        );
      case "POST /accounts/{id}/disconnect":
        await linkspan.disconnect((account as ConnectedAccount).instanceId);
        accounts.remove((account as ConnectedAccount).instanceId);
        return redirect(
          response,
          `/?done=${encodeURIComponent(`${(account as ConnectedAccount).name} is disconnected.`)}`,
        );
      default:
        return send(response, 404, errorPage("Not found", "There is no such page."));
    }
  }

  /** The hosted flow ends here: `?session=…&claim=…`, or `?error=…`. */
  async function home(url: URL, response: ServerResponse, endUser: string): Promise<void> {
    const session = url.searchParams.get("session");
    const claim = url.searchParams.get("claim");
    if (session !== null && claim !== null) {
      if (!/^[\w-]{1,100}$/.test(session))
        return send(response, 400, errorPage("Not a session", "No connect session has this id."));
      if (!sessions.has(session)) return send(response, 200, claimPage(claimCommand(session, claim)));
      const instance = await linkspan.claim(session, claim, endUser);
      accounts.add(
        {
          instanceId: instance.id,
          instanceToken: instance.token,
          connector: instance.element.key,
          name: instance.name,
        },
        endUser,
      );
      return redirect(
        response,
        `/accounts/${instance.id}?done=${encodeURIComponent(`${instance.element.name} is connected.`)}`,
      );
    }
    const error = url.searchParams.get("error");
    const words: Notice | undefined =
      error === null
        ? notice(url)
        : { kind: "bad", text: `Not connected: the vendor or Linkspan answered ${error}.` };
    send(response, 200, homePage(options.vendors, accounts.list(endUser), words));
  }

  async function view(account: ConnectedAccount, path: string, nextPage?: string): Promise<AccountView> {
    const page = await linkspan.list(account.instanceToken, path, nextPage).catch((error: unknown) => {
      if (error instanceof LinkspanRefusal) return inWords(error);
      throw error;
    });
    // The status is read after the listing, because the listing may have caused a refresh.
    const status = await linkspan.status(account.instanceId);
    const vendor = vendorOf(account.connector);
    return {
      account,
      vendor,
      path,
      page,
      status,
      canExpire: options.expireAccessTokens !== undefined && vendor?.consoleUrl !== undefined,
    };
  }

  async function upload(
    request: IncomingMessage,
    response: ServerResponse,
    account: ConnectedAccount,
    path: string,
  ): Promise<void> {
    const bytes = await body(request);
    // The file's name is in the part's header. Linkspan reads the part; this app needs only the name, for
    // the path.
    const name =
      /filename="((?:[^"\\]|\\.)*)"/
        .exec(bytes.subarray(0, 2000).toString("utf8"))?.[1]
        ?.replace(/%22/g, '"') ?? "";
    if (name === "") return back(response, account, path, "Choose a file first.", "bad");
    const file = await linkspan.upload(
      account.instanceToken,
      join(path, name),
      request.headers["content-type"] ?? "",
      bytes,
    );
    back(response, account, path, `${file.name} is uploaded.`);
  }

  function instanceCommand(url: URL): string {
    const connector = url.pathname.split("/")[2] ?? "";
    const payload = {
      element: { key: connector },
      providerData: { code: url.searchParams.get("code"), state: url.searchParams.get("state") },
      configuration: { "oauth.callback.url": `${options.url}/callback/${connector}` },
      name: "My account",
    };
    return commands("/instances", payload);
  }

  function claimCommand(session: string, claim: string): string {
    return commands(`/connect/sessions/${session}/claim`, { claim, endUser: "user-1" });
  }

  function commands(path: string, payload: object): string {
    return `${readSecretsCommand(joinPath(options.dataFolder, "demo.json"))}\n${postCommand(path, payload)}`;
  }

  function serve(request: IncomingMessage, response: ServerResponse): void {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy();
      const status = error instanceof LinkspanRefusal ? error.status : 500;
      send(
        response,
        status,
        errorPage("The request failed", error instanceof Error ? error.message : "Unknown error"),
      );
    });
  }

  return { serve, ...(takeOverKey === undefined ? {} : { takeOverUrl: options.url + takeOverPath }) };
}

function endUserOf(request: IncomingMessage, response: ServerResponse): string {
  const known = /(?:^|;\s*)demo_user=([\w-]{20,})/.exec(request.headers.cookie ?? "")?.[1];
  if (known !== undefined) return known;
  const fresh = randomBytes(18).toString("base64url");
  response.setHeader("Set-Cookie", `demo_user=${fresh}; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000`);
  return fresh;
}

/** Says on the page why there is no listing. */
function inWords({ code, message }: LinkspanRefusal): string {
  if (code !== "vendor_unauthorized") return message;
  return "The vendor refuses the access token, and the token is less than a minute old: after a vendor's 401, Linkspan gets a new token at most once a minute. Wait a little and open the folder again, or refresh now.";
}

function notice(url: URL): Notice | undefined {
  const done = url.searchParams.get("done");
  const failed = url.searchParams.get("failed");
  if (failed !== null) return { kind: "bad", text: failed };
  return done === null ? undefined : { kind: "good", text: done };
}

function back(
  response: ServerResponse,
  account: ConnectedAccount,
  path: string,
  words: string,
  kind: Notice["kind"] = "good",
): void {
  redirect(
    response,
    `/accounts/${account.instanceId}?${new URLSearchParams({ path, [kind === "good" ? "done" : "failed"]: words })}`,
  );
}

function redirect(response: ServerResponse, to: string): void {
  response.writeHead(303, { Location: to, "Cache-Control": "no-store" }).end();
}

function send(response: ServerResponse, status: number, page: string): void {
  response
    .writeHead(status, {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
      "Referrer-Policy": "same-origin",
      // Without form-action: browsers also apply it to the redirects after a form, and ours go to the
      // vendor.
      "Content-Security-Policy":
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
      "X-Content-Type-Options": "nosniff",
    })
    .end(page);
}

async function body(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    length += (chunk as Buffer).length;
    if (length > MAX_BODY_BYTES)
      throw new LinkspanRefusal(
        413,
        "payload_too_large",
        "The file is too large for one request (about 4.5 MB).",
      );
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function downloadHeaders(headers: Headers): Record<string, string> {
  const kept: Record<string, string> = {
    "x-content-type-options": "nosniff",
    // The browser must never show a user's file as a page of this app.
    "content-security-policy": "sandbox; default-src 'none'",
    "content-disposition": "attachment",
  };
  for (const name of ["content-type", "content-length", "content-disposition"]) {
    const value = headers.get(name);
    if (value !== null) kept[name] = value;
  }
  return kept;
}

function join(folder: string, name: string): string {
  return `${folder === "/" ? "" : folder}/${name}`;
}
