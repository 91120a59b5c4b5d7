import { randomBytes } from "node:crypto";
import type { sharing } from "dropbox";
import { html } from "hono/html";
import * as v from "valibot";
import { type Answer, contentAnswer, htmlAnswer, textAnswer } from "../http/answer.ts";
import type { VendorRequest } from "../http/request.ts";
import type { Endpoint } from "../http/stand-in-server.ts";
import { brand, page } from "../page.ts";
import type { PageTokens } from "../page-token.ts";
import { dropboxRules } from "./authorization-rules.ts";
import { type ApiCalls, rpc } from "./call.ts";
import { dispositionOf } from "./download-calls.ts";
import type { DropboxAccount, DropboxNode } from "./dropbox-account.ts";
import { BadInput, EndpointError, pathError, type Tagged } from "./errors.ts";
import { fileMetadata, newestOf } from "./metadata.ts";
import { notRoot, resolvePath } from "./resolve-path.ts";

interface SharedLink {
  readonly key: string;
  /** Path and query on the stand-in; without the origin, whose port changes at a restart. */
  readonly location: string;
  readonly account: DropboxAccount;
  readonly nodeId: string;
}

export const KEPT_LINKS = v.array(
  v.strictObject({ key: v.string(), location: v.string(), login: v.string(), nodeId: v.string() }),
);
type KeptLinks = v.InferOutput<typeof KEPT_LINKS>;

const PAGE = 200;

/**
 * Shared links: `/scl/fi/…` for files and `/scl/fo/…` for folders, with `dl=0` to view and `dl=1` to
 * download.
 */
export class SharedLinks {
  readonly #links = new Map<string, SharedLink>();
  readonly #origin: () => string;
  readonly #tokens: PageTokens;

  constructor(origin: () => string, tokens: PageTokens) {
    this.#origin = origin;
    this.#tokens = tokens;
  }

  /** https://www.dropbox.com/developers/documentation/http/documentation#sharing-create_shared_link_with_settings */
  calls(): ApiCalls {
    return {
      "sharing/create_shared_link_with_settings": rpc(
        "sharing.write",
        v.strictObject({ path: v.string(), settings: v.optional(v.nullable(v.looseObject({}))) }),
        ({ account }, input) => this.#create(account, input.path),
      ),
      "sharing/list_shared_links": rpc(
        "sharing.read",
        v.nullable(
          v.strictObject({
            path: v.optional(v.string()),
            cursor: v.optional(v.string()),
            direct_only: v.optional(v.boolean()),
          }),
        ),
        ({ account }, input) => this.#list(account, input?.path, input?.cursor),
      ),
      "sharing/get_shared_link_metadata": rpc(
        "sharing.read",
        v.strictObject({
          url: v.string(),
          path: v.optional(v.string()),
          link_password: v.optional(v.string()),
        }),
        ({ account }, input) => {
          const link = this.#links.get(keyOf(input.url));
          const metadata = link === undefined ? undefined : this.#describe(link);
          if (link === undefined || metadata === undefined || link.account !== account) {
            throw new EndpointError({ ".tag": "shared_link_not_found" });
          }
          return metadata;
        },
      ),
      "sharing/revoke_shared_link": rpc(
        "sharing.write",
        v.strictObject({ url: v.string() }),
        ({ account }, input) => {
          const link = this.#links.get(keyOf(input.url));
          if (link === undefined || link.account !== account) {
            throw new EndpointError({ ".tag": "shared_link_not_found" });
          }
          this.#links.delete(link.key);
          return null;
        },
      ),
    };
  }

  keep(): KeptLinks {
    return [...this.#links.values()].map(({ account, ...link }) => ({ ...link, login: account.login }));
  }

  /** @throws {Error} a link refers to an account that does not exist */
  restore(kept: KeptLinks, find: (login: string) => DropboxAccount | undefined): void {
    for (const { login, ...link } of kept) {
      const account = find(login);
      if (account === undefined) throw new Error(`there is no account ${login}`);
      this.#links.set(link.key, { ...link, account });
    }
  }

  endpoint(): Endpoint {
    return {
      hosts: ["www.dropbox.com"],
      path: "/scl/",
      kind: "page",
      handle: (request) => this.#serve(request),
    };
  }

  #create(account: DropboxAccount, path: string): Linked {
    const node = resolvePath(account, notRoot(path));
    if (node === undefined) throw pathError("not_found");
    const existing = this.#of(account, node);
    if (existing !== undefined) {
      const metadata = this.#describe(existing);
      const there = { ".tag": "metadata", metadata };
      throw new EndpointError({
        ".tag": "shared_link_already_exists",
        shared_link_already_exists: there,
      } as Tagged);
    }
    const key = randomBytes(12).toString("base64url");
    const kind = node.directory ? "fo" : "fi";
    const location = `/scl/${kind}/${key}/${encodeURIComponent(node.name)}?rlkey=${randomBytes(12).toString("base64url")}&dl=0`;
    const link = { key, location, account, nodeId: node.id };
    this.#links.set(key, link);
    const metadata = this.#describe(link);
    if (metadata === undefined) throw pathError("not_found");
    return metadata;
  }

  #list(
    account: DropboxAccount,
    path: string | undefined,
    cursor: string | undefined,
  ): sharing.ListSharedLinksResult {
    const offset = cursor === undefined ? 0 : this.#tokens.open<{ sharedLinks: number }>(cursor)?.sharedLinks;
    if (offset === undefined) throw new EndpointError({ ".tag": "reset" });
    let mine = [...this.#links.values()].filter((link) => link.account === account);
    if (path !== undefined && path !== "") {
      const node = resolvePath(account, path);
      if (node === undefined) throw pathError("not_found");
      mine = mine.filter((link) => link.nodeId === node.id);
    }
    const links = mine.flatMap((link) => this.#describe(link) ?? []);
    const hasMore = links.length > offset + PAGE;
    return {
      links: links.slice(offset, offset + PAGE),
      has_more: hasMore,
      ...(hasMore ? { cursor: this.#tokens.seal({ sharedLinks: offset + PAGE }) } : {}),
    };
  }

  #of(account: DropboxAccount, node: DropboxNode): SharedLink | undefined {
    return [...this.#links.values()].find((link) => link.account === account && link.nodeId === node.id);
  }

  #describe(link: SharedLink): Linked | undefined {
    return describe(link, `${this.#origin()}${link.location}`);
  }

  #serve(request: VendorRequest): Answer {
    const link = this.#links.get(keyOf(`${request.path}`));
    const node = link?.account.tree.get(link.nodeId);
    if (
      link === undefined ||
      node === undefined ||
      !link.location.includes(`rlkey=${request.query.get("rlkey")}&`)
    ) {
      return textAnswer(404, "Not Found");
    }
    const { look } = dropboxRules;
    if (request.query.get("dl") === "1" && !node.directory) {
      const { content, mediaType } = newestOf(node);
      return contentAnswer(content, request.header("range"), {
        "Content-Type": mediaType,
        "Content-Disposition": dispositionOf("attachment", node.name),
      });
    }
    const download = `?rlkey=${request.query.get("rlkey")}&dl=1`;
    const inside = node.directory
      ? html`<ul class="plain">${link.account.tree.children(node.id).map((child) => html`<li>${child.name}</li>`)}</ul>`
      : html`<p><a href="${download}">Download</a></p>`;
    const content = html`<div class="card">${brand(look)}<h1>${node.name}</h1><p>Shared by ${link.account.name}.</p>${inside}</div>`;
    return htmlAnswer(200, page(look, node.name, content));
  }
}

type Linked = sharing.FileLinkMetadataReference | sharing.FolderLinkMetadataReference;

function describe(link: SharedLink, url: string): Linked | undefined {
  const node = link.account.tree.get(link.nodeId);
  if (node === undefined) return undefined;
  const common = {
    url,
    id: node.id,
    name: node.name,
    path_lower: link.account.tree.pathOf(node).toLowerCase(),
    link_permissions: {
      resolved_visibility: { ".tag": "public" },
      requested_visibility: { ".tag": "public" },
      can_revoke: true,
      visibility_policies: [],
      can_set_expiry: false,
      can_remove_expiry: false,
      allow_download: true,
      can_allow_download: true,
      can_disallow_download: false,
      allow_comments: false,
      team_restricts_comments: true,
    },
  } satisfies sharing.SharedLinkMetadata;
  if (node.directory) return { ".tag": "folder", ...common };
  const { client_modified, server_modified, rev, size } = fileMetadata(link.account, node);
  return { ".tag": "file", ...common, client_modified, server_modified, rev, size };
}

/** @throws {BadInput} the URL is not a shared link */
function keyOf(url: string): string {
  const key = /\/scl\/f[io]\/([\w-]+)\//.exec(url)?.[1];
  if (key === undefined) throw new BadInput("url: is not a shared link");
  return key;
}
