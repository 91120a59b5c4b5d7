import * as v from "valibot";
import { type Grants, KEPT_GRANTS } from "../authorization/grants.ts";
import {
  type DetailForm,
  keepNode,
  keepTree,
  keptNode,
  restoreNode,
  restoreTree,
} from "../state/kept-tree.ts";
import type { KeptState } from "../state/state-keeper.ts";
import type { DropboxDetail } from "./dropbox-account.ts";
import type { DropboxAccounts } from "./dropbox-accounts.ts";
import { KEPT_LINKS, type SharedLinks } from "./shared-link-calls.ts";

const NODE = keptNode(
  v.strictObject({ tags: v.array(v.string()), exports: v.optional(v.array(v.string())) }),
);
const STATE = v.strictObject({
  accounts: v.array(
    v.strictObject({
      login: v.string(),
      name: v.string(),
      email: v.string(),
      sequence: v.number(),
      homeId: v.optional(v.string()),
      nodes: v.array(NODE),
      deleted: v.array(v.strictObject({ path: v.string(), node: NODE, at: v.number() })),
    }),
  ),
  grants: KEPT_GRANTS,
  sharedLinks: KEPT_LINKS,
});

/** The detail is already plain data. */
const FORM: DetailForm<DropboxDetail, DropboxDetail> = {
  keep: (detail) => detail,
  restore: (detail) => detail,
};

/** The state that Dropbox itself would still have after a restart: accounts, grants and shared links. */
export function dropboxState(
  accounts: DropboxAccounts,
  grants: Grants,
  links: SharedLinks,
): KeptState<v.InferOutput<typeof STATE>> {
  return {
    schema: STATE,
    keep: (contents) => ({
      accounts: [...accounts.all()].map(({ login, name, email, sequence, homeId, tree, deleted }) => ({
        login,
        name,
        email,
        sequence,
        ...(homeId === undefined ? {} : { homeId }),
        nodes: keepTree(tree, FORM, contents),
        deleted: [...deleted.values()].map(({ path, node, at }) => ({
          path,
          node: keepNode(node, FORM, contents),
          at,
        })),
      })),
      grants: grants.keep(),
      sharedLinks: links.keep(),
    }),
    restore(state, contents) {
      for (const { sequence, homeId, nodes, deleted, ...account } of state.accounts) {
        accounts.restore(account, {
          sequence,
          homeId,
          tree: restoreTree(nodes, FORM, contents),
          deleted: deleted.map(({ path, node, at }) => ({
            path,
            node: restoreNode(node, FORM, contents),
            at,
          })),
        });
      }
      grants.restore(state.grants);
      links.restore(state.sharedLinks, (login) => accounts.find(login));
    },
  };
}
