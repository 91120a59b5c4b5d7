import { html } from "hono/html";
import { contentAnswer, htmlAnswer, textAnswer } from "../http/answer.ts";
import type { Endpoint } from "../http/stand-in-server.ts";
import { brand, type PageLook, page } from "../page.ts";
import type { KitNode } from "./account.ts";
import { open } from "./calls.ts";
import type { Kit } from "./start-vendor.ts";

export interface SharedPages<Own> {
  readonly look: PageLook;
  /** Routes with `{key}`: `GET app.box.com /s/{key}`. The key of a download may have an extension behind it. */
  readonly page: string;
  readonly download: string;
  /** Whether the item has a link for everybody with this key. */
  isShared(own: Own, key: string): boolean;
}

/** The pages and downloads of shared links, for everybody who has the link. */
export function sharedPages<Own>(kit: Kit<Own>, rules: SharedPages<Own>): Endpoint[] {
  const find = (key = ""): { node: KitNode<Own>; by: string } | undefined => {
    for (const account of kit.accounts.all()) {
      for (const node of account.tree.all()) {
        if (rules.isShared(node.detail.own, key)) return { node, by: account.name };
      }
    }
    return undefined;
  };
  const gone = textAnswer(404, "This link has been removed or is unavailable to you.\n");
  return [
    open(rules.page, "page", (_request, { key }) => {
      const found = find(key);
      if (found === undefined) return gone;
      const { node, by } = found;
      const content = html`<div class="card">${brand(rules.look)}<h1>${node.name}</h1><p>Shared by ${by}.</p></div>`;
      return htmlAnswer(200, page(rules.look, node.name, content));
    }),
    open(rules.download, "page", (request, { key }) => {
      const newest = find(key?.split(".")[0])?.node.revisions.at(-1);
      if (newest === undefined) return gone;
      return contentAnswer(newest.content, request.header("range"), { "Content-Type": newest.mediaType });
    }),
  ];
}
