import { text } from "node:stream/consumers";
import {
  AuthenticationHandler,
  Client,
  type Context,
  type GraphError,
  type Middleware,
  PageIterator,
  RedirectHandler,
  ResponseType,
} from "@microsoft/microsoft-graph-client";
import type { Drive, DriveItem, DriveItemVersion, Permission, User } from "@microsoft/microsoft-graph-types";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Clock, systemClock } from "../../local/clock.ts";
import { startGraph } from "../../local/vendors/graph/stand-in.ts";
import type { StandIn } from "../../local/vendors/stand-in.ts";
import { APP, allow, pkce, REDIRECT_URI } from "./connect.ts";
import { vendorFetch } from "./vendor-fetch.ts";

const OAUTH = "https://login.microsoftonline.com/common/oauth2/v2.0";

interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly scope?: string;
  readonly error?: string;
  readonly error_codes?: readonly number[];
}

interface List<Item> {
  readonly value: readonly Item[];
  readonly "@odata.nextLink"?: string;
}

/** The official client, unmodified, against the stand-in: the last step of its pipeline sends to another address. */
describe("the official Microsoft Graph client against the stand-in", () => {
  let clock: Clock;
  let standIn: StandIn;
  let graph: Client;
  let token: string;
  /** Id and path of a new folder for each test. */
  let folder: string;
  let path: string;
  let count = 0;

  const failure = (call: Promise<unknown>) =>
    call.then(
      () => {
        throw new Error("an answer");
      },
      ({ statusCode, code }: GraphError) => `${statusCode} ${code}`,
    );
  const ask = async (form: Record<string, string>): Promise<Tokens> => {
    const body = new URLSearchParams({ client_id: APP.clientId, client_secret: APP.clientSecret, ...form });
    return (await vendorFetch(standIn)(`${OAUTH}/token`, { method: "POST", body })).json() as Promise<Tokens>;
  };
  const tokens = async (
    query: Record<string, string>,
    form: Record<string, string> = {},
  ): Promise<Tokens> => {
    const asked = { client_id: APP.clientId, response_type: "code", redirect_uri: REDIRECT_URI, ...query };
    const code = (await allow(standIn, `${OAUTH}/authorize?${new URLSearchParams(asked)}`)).get("code") ?? "";
    return ask({ grant_type: "authorization_code", code, redirect_uri: REDIRECT_URI, ...form });
  };
  const put = (name: string, content: string, behavior = "fail"): Promise<DriveItem> =>
    graph
      .api(`/me/drive/items/${folder}:/${encodeURIComponent(name)}:/content`)
      .query({ "@microsoft.graph.conflictBehavior": behavior })
      .put(content);
  const bytesOf = async (id: string | undefined): Promise<string> =>
    text(await graph.api(`/me/drive/items/${id}/content`).responseType(ResponseType.STREAM).get());

  beforeAll(async () => {
    clock = systemClock();
    standIn = await startGraph({ clock, app: APP });
    token = (await tokens({ scope: "offline_access Files.ReadWrite.All User.Read" })).access_token;
    const fetchVendor = vendorFetch(standIn);
    const send: Middleware = {
      async execute(context: Context) {
        context.response = await fetchVendor(context.request as Request, context.options as RequestInit);
      },
    };
    const steps = [
      new AuthenticationHandler({ getAccessToken: async () => token }),
      new RedirectHandler(),
      send,
    ];
    for (const [index, step] of steps.entries()) step.setNext?.(steps[index + 1] as Middleware);
    graph = Client.initWithMiddleware({ middleware: steps[0] as Middleware });
  });
  afterAll(() => standIn?.close());
  beforeEach(async () => {
    standIn.switches.reset();
    const name = `test ${++count}`;
    path = `/${name}`;
    folder = (await graph.api("/me/drive/root/children").post({ name, folder: {} })).id;
  });

  it("signs in with PKCE, and gives refresh tokens only for offline_access; old ones stay usable, for 90 days", async () => {
    const { verifier, challenge } = pkce();
    const query = {
      scope: "offline_access User.Read",
      code_challenge: challenge,
      code_challenge_method: "S256",
    };
    const first = await tokens(query, { code_verifier: verifier });
    expect(first.scope).toBe("User.Read");
    expect((await tokens(query, { code_verifier: `${verifier}x` })).error_codes).toEqual([501481]);
    expect((await tokens({ scope: "User.Read" })).refresh_token).toBeUndefined();
    const refresh = () => ask({ grant_type: "refresh_token", refresh_token: first.refresh_token ?? "" });
    expect((await refresh()).refresh_token).not.toBe(first.refresh_token);
    expect((await refresh()).error).toBeUndefined();
    standIn.revokeGrants();
    expect(await refresh()).toMatchObject({ error: "invalid_grant", error_codes: [700082] });
    token = (await tokens({ scope: "offline_access Files.ReadWrite.All User.Read" })).access_token;
  });

  it("tells the account and the drive's space", async () => {
    const me: User = await graph.api("/me").select("id,userPrincipalName,mail").get();
    expect(me).toMatchObject({ userPrincipalName: "ada@example.com", mail: null });
    const drive: Drive = await graph.api("/me/drive").get();
    expect(drive.quota?.total).toBe(5 * 1024 ** 3);
    expect((await graph.api(`/drives/${drive.id}`).get()).id).toBe(drive.id);
    expect(await failure(graph.api("/drives/0000").get())).toBe("404 itemNotFound");
  });

  it("uploads, replaces only if asked, keeps versions, and downloads", async () => {
    const { id } = await put("a b#1%.txt", "first");
    expect(await failure(put("A B#1%.TXT", "other"))).toBe("409 nameAlreadyExists");
    expect((await put("a b#1%.txt", "second", "replace")).id).toBe(id);
    expect(await bytesOf(id)).toBe("second");
    const { value }: List<DriveItemVersion> = await graph.api(`/me/drive/items/${id}/versions`).get();
    expect(value.map(({ size }) => size)).toEqual([6, 5]);
    const item: DriveItem & { "@microsoft.graph.downloadUrl"?: string } = await graph
      .api(`/me/drive/items/${id}`)
      .select("id,@microsoft.graph.downloadUrl")
      .get();
    const part = await vendorFetch(standIn)(item["@microsoft.graph.downloadUrl"] ?? "", {
      headers: { Range: "bytes=1-3" },
    });
    expect([part.status, await part.text()]).toEqual([206, "eco"]);
  });

  it("finds items by their paths, from the root and from a folder", async () => {
    const { id } = await put("50% é.txt", "x");
    const name = encodeURIComponent("50% é.txt");
    const item: DriveItem = await graph.api(`/me/drive/root:${encodeURI(path)}/${name}`).get();
    expect(item.id).toBe(id);
    expect(item.parentReference?.path).toBe(`/drive/root:${encodeURI(path)}`);
    expect((await graph.api(`/me/drive/items/${folder}:/${name}`).get()).id).toBe(id);
    expect(await failure(graph.api("/me/drive/root:/nothing/here").get())).toBe("404 itemNotFound");
  });

  it("lists in pages, also in short and empty ones", async () => {
    for (const name of ["3", "1", "2"]) await put(name, name);
    for (const pages of ["full", "empty"] as const) {
      standIn.switches.set({ pages });
      const names: (string | null | undefined)[] = [];
      const first = await graph.api(`/me/drive/items/${folder}/children`).top(2).select("name").get();
      const iterator = new PageIterator(graph, first, ({ name }: DriveItem) => names.push(name) > 0);
      await iterator.iterate();
      expect(names).toEqual(["1", "2", "3"]);
    }
    expect(await failure(graph.api("/me/drive/root/children").select("nothing").get())).toBe(
      "400 invalidRequest",
    );
  });

  it("moves and renames, but not to `root`, onto another item, or into itself", async () => {
    const { id, eTag } = await put("a.txt", "x");
    await put("b.txt", "y");
    const root: DriveItem = await graph.api("/me/drive/root").get();
    const change = (item: string | undefined, json: object) =>
      graph.api(`/me/drive/items/${item}`).patch(json);
    expect(await failure(change(id, { name: "B.txt" }))).toBe("409 nameAlreadyExists");
    expect(await failure(change(id, { parentReference: { id: "root" } }))).toBe("404 itemNotFound");
    expect(await failure(change(folder, { parentReference: { id: folder } }))).toBe("400 invalidRequest");
    const name = `moved ${count}.txt`;
    expect((await change(id, { name, parentReference: { id: root.id } })).parentReference.id).toBe(root.id);
    const stale = graph.api(`/me/drive/items/${id}`).header("if-match", eTag ?? "");
    expect(await failure(stale.delete())).toBe("412 resourceModified");
  });

  it("copies after its answer, and tells at the monitor when it is done and why it failed", async () => {
    await put("a.txt", "x");
    const { id: driveId } = await graph.api("/me/drive").get();
    const copy = async (name: string): Promise<string> => {
      const answer: Response = await graph
        .api(`/me/drive/items/${folder}/copy`)
        .responseType(ResponseType.RAW)
        .post({ name, parentReference: { driveId, id: (await graph.api("/me/drive/root").get()).id } });
      expect(answer.status).toBe(202);
      return answer.headers.get("location") ?? "";
    };
    const stateAt = async (url: string) =>
      (await vendorFetch(standIn)(url)).json() as Promise<Record<string, unknown>>;
    const done = await stateAt(await copy(`copy ${count}`));
    expect(done).toMatchObject({ status: "completed" });
    expect((await graph.api(`/me/drive/items/${done.resourceId}/children`).get()).value).toHaveLength(1);
    standIn.switches.set({ operationMs: 60_000 });
    const late = await copy(`late ${count}`);
    expect(await stateAt(late)).toMatchObject({ status: "inProgress" });
    const onto = { name: `test ${count}` };
    expect(await failure(graph.api(`/me/drive/items/${folder}/copy`).post(onto))).toBe(
      "409 nameAlreadyExists",
    );
  });

  it("shares by a link, returns the same one again, and takes it back", async () => {
    const { id } = await put("a.txt", "x");
    const create = () =>
      graph.api(`/me/drive/items/${id}/createLink`).post({ type: "view", scope: "anonymous" });
    const link: Permission = await create();
    expect((await create()).id).toBe(link.id);
    expect((await fetch(link.link?.webUrl ?? "")).status).toBe(200);
    const all: List<Permission> = await graph.api(`/me/drive/items/${id}/permissions`).get();
    expect(all.value).toHaveLength(1);
    await graph.api(`/me/drive/items/${id}/permissions/${link.id}`).delete();
    expect((await fetch(link.link?.webUrl ?? "")).status).toBe(404);
  });

  it("finds words below a folder, late if it is slow", async () => {
    const { id } = await put("Ada's numbers.txt", "x");
    const find = async (words: string) =>
      (await graph.api(`/me/drive/items/${folder}/search(q='${words}')`).get()).value.map(
        (item: DriveItem) => item.id,
      );
    expect(await find("ada''s num")).toEqual([id]);
    expect(await find("umbers")).toEqual([]);
    standIn.switches.set({ searchLagMs: 60_000 });
    expect(await find("numbers")).toEqual([]);
  });

  it("deletes into the bin, restores, and deletes for good", async () => {
    const { id } = await put("a.txt", "x");
    const { id: drive } = await graph.api("/me/drive").get();
    await graph.api(`/me/drive/items/${id}`).delete();
    expect(await failure(graph.api(`/me/drive/items/${id}`).get())).toBe("404 itemNotFound");
    await graph.api(`/me/drive/items/${id}/restore`).post({});
    await graph.api(`/drives/${drive}/items/${id}/permanentDelete`).post({});
    expect(await failure(graph.api(`/me/drive/items/${id}/restore`).post({}))).toBe("404 itemNotFound");
  });

  it("refuses names that OneDrive refuses, and spent tokens", async () => {
    for (const name of ["a:b", "a*", '"a"', " a", "a ", "~a", "CON", "x_vti_y", "desktop.ini"])
      expect(await failure(graph.api("/me/drive/root/children").post({ name, folder: {} }))).toBe(
        "400 invalidRequest",
      );
    standIn.expireAccessTokens();
    expect(await failure(graph.api("/me").get())).toBe("401 InvalidAuthenticationToken");
  });
});
