import { join } from "node:path";
import type { ConnectedAccount } from "./connected-accounts.ts";
import { postCommand, readSecretsCommand } from "./curl-lines.ts";
import { readForm, redirect, send } from "./http-answer.ts";
import { returnedInWords } from "./in-words.ts";
import { askPage, errorPage, type Notice } from "./layout.ts";
import { LinkspanRefusal } from "./linkspan-client.ts";
import { callbackPage, claimPage, homePage } from "./pages.ts";
import { type DemoContext, keep, placeOf, type Route, take, type Visit } from "./visit.ts";

/** A claim that waits for the person's word: the sign-in was with another account, or nobody can tell. */
interface WaitingClaim {
  readonly session: string;
  readonly claim: string;
  readonly instanceId: number;
  readonly code: "another_account" | "account_unknown";
}

/** Pages and actions of the hosted flow: connecting, signing in again, and the way back. */
export function connectRoutes(context: DemoContext): Readonly<Record<string, Route>> {
  const { linkspan, accounts, notices, sessions, url: origin } = context;
  const waiting = keep<WaitingClaim>(1_000);

  async function begin(
    { response, endUser }: Visit,
    what: Parameters<typeof linkspan.createSession>[0],
  ): Promise<void> {
    const session = await linkspan.createSession(what, `${origin}/`, endUser);
    sessions.set(session.id, "instanceId" in what ? what : {});
    redirect(response, session.connectUrl);
  }

  /** Says something on the page of an account, or on the first page. */
  function say({ endUser, response }: Visit, notice: Notice, instanceId?: number): void {
    notices.set(endUser, notice);
    redirect(response, instanceId === undefined ? "/" : placeOf(instanceId, "/"));
  }

  /** The hosted flow ends here: `?session=…&claim=…`, or `?session=…&error=…`. */
  async function returned(visit: Visit, session: string): Promise<void> {
    const { url, response, endUser } = visit;
    if (!/^[\w-]{1,100}$/.test(session))
      return send(response, 400, errorPage("Not a session", "No connect session has this id."));
    const begun = sessions.get(session);
    const error = url.searchParams.get("error");
    const claim = url.searchParams.get("claim") ?? "";
    if (error !== null) return say(visit, noticeOfError(error, begun?.instanceId), begun?.instanceId);
    if (begun === undefined) return send(response, 200, claimPage(claimCommand(session, claim)));
    try {
      await finish(visit, session, claim, begun.instanceId);
    } catch (problem) {
      const code = problem instanceof LinkspanRefusal ? problem.code : "";
      if (begun.instanceId === undefined || (code !== "another_account" && code !== "account_unknown"))
        throw problem;
      waiting.set(endUser, { session, claim, instanceId: begun.instanceId, code });
      redirect(response, `/accounts/${begun.instanceId}/accept`);
    }
  }

  async function finish(
    visit: Visit,
    session: string,
    claim: string,
    instanceId: number | undefined,
    accepts?: Readonly<Record<string, true>>,
  ): Promise<void> {
    const { endUser } = visit;
    const instance = await linkspan.claim(session, claim, endUser, accepts);
    const known = accounts.find(instance.id, endUser);
    // A new sign-in keeps the instance's token, and its answer does not show it.
    const instanceToken = instanceId === undefined ? instance.token : (known?.instanceToken ?? "");
    const person = await linkspan.me(instanceToken).catch(() => known?.person);
    const account: ConnectedAccount = {
      instanceId: instance.id,
      instanceToken,
      connector: instance.element.key,
      name: instance.name,
      ...(person === undefined ? {} : { person: { ...pick(person, "name"), ...pick(person, "email") } }),
    };
    accounts.add(account, endUser);
    const what = instanceId === undefined ? "is connected" : "is signed in again";
    say(visit, { kind: "good", text: `${instance.element.name} ${what}.` }, instance.id);
  }

  function claimCommand(session: string, claim: string): string {
    return commands(`/connect/sessions/${session}/claim`, { claim, endUser: "user-1" });
  }

  function instanceCommand(url: URL): string {
    const connector = url.pathname.split("/")[2] ?? "";
    return commands("/instances", {
      element: { key: connector },
      // All that the vendor sent: ShareFile names its hosts there.
      providerData: Object.fromEntries(url.searchParams),
      configuration: { "oauth.callback.url": `${origin}/callback/${connector}` },
      name: "My account",
    });
  }

  function commands(path: string, payload: object): string {
    return `${readSecretsCommand(join(context.dataFolder, "demo.json"))}\n${postCommand(path, payload)}`;
  }

  return {
    "GET /": async (visit) => {
      const session = visit.url.searchParams.get("session");
      if (session !== null) return await returned(visit, session);
      const { endUser, response } = visit;
      send(response, 200, homePage(context.vendors, accounts.list(endUser), take(notices, endUser)));
    },
    "POST /connect": async (visit) => {
      const key = (await readForm(visit.request)).get("connector") ?? "";
      await begin(visit, { element: { key } });
    },
    "GET /callback/{connector}": ({ url, response }) =>
      send(response, 200, callbackPage(Object.fromEntries(url.searchParams), instanceCommand(url))),
    "POST /accounts/{id}/sign-in": (visit, { instanceId }) => begin(visit, { instanceId }),
    "GET /accounts/{id}/accept": ({ endUser, response }, { instanceId, name }) => {
      const claim = waiting.get(endUser);
      if (claim?.instanceId !== instanceId) return redirect(response, placeOf(instanceId, "/"));
      const isOther = claim.code === "another_account";
      send(
        response,
        200,
        askPage({
          title: isOther ? "This is another account" : "Is this the same account?",
          text: isOther
            ? `You signed in with another account than ${name} was connected with. If you go on, ${name} shows the files of the new account.`
            : `The vendor does not say whether this is the account that ${name} was connected with.`,
          action: `/accounts/${instanceId}/accept`,
          fields: {},
          yes: isOther ? "Use the new account" : "It is the same",
          kind: "primary",
          no: "Keep it as it was",
          back: placeOf(instanceId, "/"),
        }),
      );
    },
    "POST /accounts/{id}/accept": async (visit, { instanceId }) => {
      const claim = take(waiting, visit.endUser);
      if (claim?.instanceId !== instanceId) return redirect(visit.response, placeOf(instanceId, "/"));
      const field = claim.code === "another_account" ? "acceptOtherAccount" : "acceptUnknownAccount";
      await finish(visit, claim.session, claim.claim, instanceId, { [field]: true });
    },
  };
}

/** A person who goes back has done nothing wrong. */
function noticeOfError(error: string, instanceId: number | undefined): Notice {
  if (error !== "access_denied") return { kind: "bad", text: returnedInWords(error) };
  return {
    kind: "info",
    text:
      instanceId === undefined
        ? "You went back without connecting an account."
        : "You went back without signing in again. The connection is as it was.",
  };
}

function pick<Name extends "name" | "email">(
  person: { readonly name?: string; readonly email?: string },
  name: Name,
): { readonly [key in Name]?: string } {
  const value = person[name];
  return (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: string };
}
