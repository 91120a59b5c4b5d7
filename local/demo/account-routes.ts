import { pipeline } from "node:stream/promises";
import { type AccountView, accountPage } from "./account-page.ts";
import type { ConnectedAccount } from "./connected-accounts.ts";
import { downloadHeaders, readBody, readForm, redirect, send } from "./http-answer.ts";
import { inWords } from "./in-words.ts";
import { askPage, type Notice } from "./layout.ts";
import { LinkspanRefusal } from "./linkspan-client.ts";
import { type DemoContext, keep, placeOf, type Route, take, type Visit } from "./visit.ts";

/** A file whose name is taken: it waits for the person's word. */
interface WaitingUpload {
  readonly instanceId: number;
  readonly target: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** Pages and actions of one connected account. */
export function accountRoutes(context: DemoContext): Readonly<Record<string, Route>> {
  const { linkspan, accounts, notices } = context;
  // Each may hold some megabytes.
  const uploads = keep<WaitingUpload>(10);

  function back(
    { endUser, response, path }: Visit,
    { instanceId }: ConnectedAccount,
    text: string,
    kind: Notice["kind"] = "good",
  ): void {
    notices.set(endUser, { kind, text });
    redirect(response, placeOf(instanceId, path));
  }

  async function show(visit: Visit, account: ConnectedAccount): Promise<void> {
    const { endUser, response, path, url } = visit;
    const nextPage = url.searchParams.get("nextPage") ?? undefined;
    const page = await linkspan.list(account.instanceToken, path, nextPage).catch(refusalInWords);
    // The status is read after the listing, because the listing may have caused a refresh.
    const status = await linkspan.status(account.instanceId).catch(throwUnlessGone);
    if (status === undefined) {
      accounts.remove(account.instanceId);
      notices.set(endUser, {
        kind: "bad",
        text: `${account.name} was disconnected elsewhere. Connect it again to use it.`,
      });
      return redirect(response, "/");
    }
    const vendor = context.vendors.find(({ key }) => key === account.connector);
    const canExpire = context.expireAccessTokens !== undefined && vendor?.consoleUrl !== undefined;
    const known = await withPerson(context, account, endUser);
    const view: AccountView = { account: known, vendor, path, page, status, canExpire };
    const notice = take(notices, endUser);
    // Without a listing the page shows the reason, and not the notice about an earlier success.
    const shown = typeof page === "string" && notice?.kind === "good" ? undefined : notice;
    send(response, 200, accountPage(view, shown));
  }

  async function upload(visit: Visit, account: ConnectedAccount): Promise<void> {
    const { request, endUser, response, path } = visit;
    const bytes = await readBody(request);
    const name = fileNameIn(bytes);
    if (name === "") return back(visit, account, "Choose a file first.", "bad");
    const target = join(path, name);
    const contentType = request.headers["content-type"] ?? "";
    try {
      await linkspan.upload(account.instanceToken, target, { contentType, bytes, overwrite: false });
    } catch (error) {
      if (!(error instanceof LinkspanRefusal) || error.code !== "conflict") throw error;
      uploads.set(endUser, { instanceId: account.instanceId, target, contentType, bytes });
      return redirect(response, `/accounts/${account.instanceId}/replace?path=${encodeURIComponent(path)}`);
    }
    back(visit, account, `${name} is uploaded.`);
  }

  return {
    "GET /accounts/{id}": show,
    "GET /accounts/{id}/download": async ({ url, response }, { instanceToken }) => {
      const file = await linkspan.download(instanceToken, url.searchParams.get("target") ?? "");
      response.writeHead(200, downloadHeaders(file.headers));
      await pipeline(file.body, response);
    },
    "POST /accounts/{id}/upload": upload,
    "GET /accounts/{id}/replace": ({ endUser, response, path }, { instanceId }) => {
      const waiting = uploads.get(endUser);
      if (waiting?.instanceId !== instanceId) return redirect(response, placeOf(instanceId, path));
      const at = encodeURIComponent(path);
      send(
        response,
        200,
        askPage({
          title: "Replace the file?",
          text: `${waiting.target} is there already. The vendor keeps its content as an earlier revision, if it keeps revisions.`,
          action: `/accounts/${instanceId}/replace?path=${at}`,
          fields: {},
          yes: "Replace",
          kind: "danger",
          no: "Keep the old file",
          back: placeOf(instanceId, path),
        }),
      );
    },
    "POST /accounts/{id}/replace": async (visit, account) => {
      const waiting = take(uploads, visit.endUser);
      if (waiting?.instanceId !== account.instanceId)
        return back(visit, account, "The file is no longer here. Upload it again.", "bad");
      const { target, ...content } = waiting;
      await linkspan.upload(account.instanceToken, target, { ...content, overwrite: true });
      back(visit, account, `${target} is replaced.`);
    },
    "POST /accounts/{id}/folders": async (visit, account) => {
      const name = (await readForm(visit.request)).get("name") ?? "";
      await linkspan.createFolder(account.instanceToken, join(visit.path, name));
      back(visit, account, `Folder ${name} is created.`);
    },
    "GET /accounts/{id}/remove": ({ url, response, path }, { instanceId }) => {
      const target = url.searchParams.get("target") ?? "";
      const isFolder = url.searchParams.get("kind") === "folder";
      send(
        response,
        200,
        askPage({
          title: isFolder ? "Delete the folder?" : "Delete the file?",
          text: `${target}${isFolder ? ", with everything in it," : ""} goes into the vendor's bin.`,
          action: `/accounts/${instanceId}/remove?path=${encodeURIComponent(path)}`,
          fields: { target, kind: isFolder ? "folder" : "file" },
          yes: "Delete",
          kind: "danger",
          no: "Keep it",
          back: placeOf(instanceId, path),
        }),
      );
    },
    "POST /accounts/{id}/remove": async (visit, account) => {
      const form = await readForm(visit.request);
      const target = form.get("target") ?? "";
      await linkspan.remove(account.instanceToken, target, form.get("kind") === "folder");
      back(visit, account, `${target} is deleted.`);
    },
    "POST /accounts/{id}/refresh": async (visit, account) => {
      await linkspan.refresh(account.instanceId);
      back(visit, account, "Refreshed: the vendor has given a new access token.");
    },
    "POST /accounts/{id}/expire": (visit, account) => {
      context.expireAccessTokens?.(account.connector);
      back(visit, account, "The vendor ended the access token, and this listing came with a new one.");
    },
    "GET /accounts/{id}/disconnect": ({ response, path }, { instanceId, name }) =>
      send(
        response,
        200,
        askPage({
          title: `Disconnect ${name}?`,
          text: "Linkspan deletes the stored tokens and asks the vendor to end the access. Your files stay where they are.",
          action: `/accounts/${instanceId}/disconnect`,
          fields: {},
          yes: "Disconnect",
          kind: "danger",
          no: "Keep it",
          back: placeOf(instanceId, path),
        }),
      ),
    "POST /accounts/{id}/disconnect": async ({ endUser, response }, { instanceId, name }) => {
      // An account that is gone at Linkspan is gone here, too.
      await linkspan.disconnect(instanceId).catch(throwUnlessGone);
      accounts.remove(instanceId);
      notices.set(endUser, { kind: "good", text: `${name} is disconnected.` });
      redirect(response, "/");
    },
  };
}

/** An account that an older version of the demo connected has no person yet. */
async function withPerson(
  { linkspan, accounts }: DemoContext,
  account: ConnectedAccount,
  endUser: string,
): Promise<ConnectedAccount> {
  if (account.person !== undefined) return account;
  const person = await linkspan.me(account.instanceToken).catch(() => undefined);
  if (person === undefined) return account;
  const { name, email } = person;
  const known = {
    ...account,
    person: { ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) },
  };
  accounts.add(known, endUser);
  return known;
}

/** @throws what does not say that Linkspan has no such instance */
function throwUnlessGone(error: unknown): undefined {
  if (error instanceof LinkspanRefusal && error.code === "unknown_instance") return undefined;
  throw error;
}

/** Says on the page why there is no listing. @throws what is not Linkspan's refusal */
function refusalInWords(error: unknown): string {
  if (error instanceof LinkspanRefusal) return inWords(error);
  throw error;
}

/** The file's name is in the part's header. Linkspan reads the part; this app needs only the name, for the path. */
function fileNameIn(body: Buffer): string {
  const [, name = ""] = /filename="((?:[^"\\]|\\.)*)"/.exec(body.subarray(0, 2000).toString("utf8")) ?? [];
  return name.replace(/%22/g, '"');
}

function join(folder: string, name: string): string {
  return `${folder === "/" ? "" : folder}/${name}`;
}
