import * as v from "valibot";
import { bytesContent } from "../../local/vendors/content.ts";
import { contentAnswer, jsonAnswer } from "../../local/vendors/http/answer.ts";
import { type KitAccount, type KitNode, sizeOf } from "../../local/vendors/kit/account.ts";
import { type ApiCall, call, integerText, open, Refused } from "../../local/vendors/kit/calls.ts";
import { formPartsOf } from "../../local/vendors/kit/multipart.ts";
import { tokenError } from "../../local/vendors/kit/oauth.ts";
import type { Kit, Vendor } from "../../local/vendors/kit/start-vendor.ts";

const DETAIL = v.strictObject({ note: v.string() });
export type Own = v.InferOutput<typeof DETAIL>;

const shown = (node: KitNode<Own>) => ({
  id: node.id,
  name: node.name,
  etag: node.detail.etag,
  note: node.detail.own.note,
  size: sizeOf(node),
});

const notFound = () => new Refused(jsonAnswer(404, { error: "not_found" }));
const found = (account: KitAccount<Own>, id: string | undefined): KitNode<Own> => {
  const node = id === "root" ? account.root : account.tree.get(id ?? "");
  if (node === undefined) throw notFound();
  return node;
};

/** A small vendor that uses each part of the kit. */
export const KIT_VENDOR: Vendor<Own> = {
  connector: "tiny",
  hosts: ["login.tiny.example", "*.api.tiny.example", "links.tiny.example"],
  apiHosts: ["*.api.tiny.example"],
  oauth: {
    look: { vendor: "Tiny", accent: { light: "#0a52c4", dark: "#82b1ff" } },
    authorize: { hosts: ["login.tiny.example"], path: "/{tenant}/authorize" },
    token: { hosts: ["login.tiny.example"], path: "/{tenant}/token" },
    revocation: { hosts: ["login.tiny.example"], path: "/revoke", ends: "token", needsClient: true },
    scopes: { read: "read", write: "write" },
    clientAuthentication: ["basic"],
    codeSeconds: 30,
    accessTokenSeconds: 600,
    refreshTokens: { rotation: "singleUse", reuseEndsGrant: true, idleMs: 1_000_000 },
    redirectParameters: ({ place }) => [["tenant", place.parameters.tenant ?? ""]],
    tokenProblem: (name) =>
      name === "refresh_token_dead" ? tokenError("invalid_grant", "expired for tiny") : undefined,
    tokenMembers: ({ account }) => ({ member: account.login }),
  },
  tree: {
    names: {
      ignoresCase: true,
      ignoresComposition: true,
      allowsDuplicates: false,
      refuse: (name) => (name.includes("\\") ? "no backslash" : undefined),
    },
    quotaBytes: 100_000,
    rootName: "",
    newId: (kind, number) => `${kind}-${number}`,
    newDetail: (kind) => ({ note: kind }),
  },
  detail: DETAIL,
  calls: tinyCalls,
  open: (kit) => [
    open("GET links.tiny.example /operations/{id}", "api", (_request, { id = "" }) => {
      const operation = kit.operations.find(id);
      if (operation === undefined) throw notFound();
      return jsonAnswer(200, { state: operation.state.kind, percent: kit.operations.percentOf(operation) });
    }),
  ],
  refuse: (problem) => {
    const field = "field" in problem ? `${problem.in} ${problem.field} ${problem.reason}` : undefined;
    return jsonAnswer(problem.kind.endsWith("token") ? 401 : 400, { error: problem.kind, field });
  },
  statusAnswer: (status) => jsonAnswer(status, { error: `status ${status}` }),
};

function tinyCalls(kit: Kit<Own>): ApiCall<Own>[] {
  const read = { scopes: ["read"] };
  return [
    call("GET /me", read, ({ account }) => ({ login: account.login })),
    call(
      "GET /folders/{id}/items",
      {
        ...read,
        query: v.strictObject({ marker: v.optional(v.string()), limit: v.optional(integerText(1, 100)) }),
      },
      ({ account, parameters }, { query }) => {
        const folder = found(account, parameters.id);
        const children = account.tree.children(folder.id).map(shown);
        const page = kit.pages.page(`items ${folder.id}`, children, query.marker, query.limit ?? 100);
        if (page === undefined) throw new Refused(jsonAnswer(400, { error: "bad_marker" }));
        return page;
      },
    ),
    call("GET /by-path:/{path+}:/content", read, ({ account, request, parameters }) => {
      const content = account.at(parameters.path ?? "")?.revisions.at(-1)?.content;
      if (content === undefined) throw notFound();
      return contentAnswer(content, request.header("range"), {});
    }),
    call(
      "PATCH /items({id})",
      {
        scopes: ["write"],
        body: v.strictObject({
          name: v.optional(v.string()),
          parent: v.optional(v.strictObject({ id: v.string() })),
        }),
      },
      ({ account, parameters }, { body }) => {
        const node = found(account, parameters.id);
        account.move(node, {
          ...(body.name === undefined ? {} : { name: body.name }),
          ...(body.parent === undefined ? {} : { parent: found(account, body.parent.id) }),
        });
        return shown(node);
      },
    ),
    call("POST /upload", { scopes: ["write"] }, async ({ account, request }) => {
      const parts = formPartsOf(request.header("content-type"), await request.body());
      const file = parts.find(({ name }) => name === "file");
      if (file === undefined) throw notFound();
      return shown(account.addFile(account.root, file.fileName ?? "", bytesContent(file.body)));
    }),
    call("POST /folders/{id}", { scopes: ["write"] }, ({ account, parameters }) =>
      shown(account.addFolder(account.root, parameters.id ?? "")),
    ),
    call("POST /items({id})/copy", { scopes: ["write"] }, ({ account, parameters }) => {
      const node = found(account, parameters.id);
      const operation = kit.operations.start(account.login, () => {
        account.copy(node, account.root, `Copy of ${node.name}`);
      });
      return jsonAnswer(202, { operation: operation.id });
    }),
    call("DELETE /items({id})", { scopes: ["write"] }, ({ account, parameters }) => {
      account.moveToTrash(found(account, parameters.id));
    }),
    call("POST /trash/{id}", { scopes: ["write"] }, ({ account, parameters }) => {
      const node = account.restore(parameters.id ?? "");
      if (node === undefined) throw notFound();
      return shown(node);
    }),
    call("GET /search", { ...read, query: v.strictObject({ text: v.string() }) }, ({ account }, { query }) =>
      [...account.tree.below(account.root.id)]
        .filter((node) => account.isSearchable(node) && node.name.includes(query.text))
        .map(shown),
    ),
  ];
}
