import type { drive_v3 } from "@googleapis/drive";
import * as v from "valibot";
import { type Grants, KEPT_GRANTS } from "../authorization/grants.ts";
import { type DetailForm, keepTree, keptNode, restoreTree } from "../state/kept-tree.ts";
import type { KeptState } from "../state/state-keeper.ts";
import type { DriveDetail } from "./drive-account.ts";
import type { DriveAccounts } from "./drive-accounts.ts";

const TEXTS = v.record(v.string(), v.string());
const DETAIL = v.strictObject({
  mimeType: v.string(),
  description: v.optional(v.string()),
  starred: v.boolean(),
  explicitlyTrashed: v.boolean(),
  trashedAt: v.optional(v.number()),
  originalFilename: v.optional(v.string()),
  properties: TEXTS,
  appProperties: TEXTS,
  folderColorRgb: v.optional(v.string()),
  version: v.number(),
  shortcutTo: v.optional(v.string()),
  permissions: v.array(v.looseObject({ id: v.string() })),
});
const STATE = v.strictObject({
  accounts: v.array(
    v.strictObject({
      login: v.string(),
      name: v.string(),
      email: v.string(),
      nodes: v.array(keptNode(DETAIL)),
    }),
  ),
  grants: KEPT_GRANTS,
});

const FORM: DetailForm<DriveDetail, v.InferOutput<typeof DETAIL>> = {
  keep: ({ permissions, place: _, restriction: __, ...detail }) => ({
    ...detail,
    permissions: [...permissions].map(([id, permission]) => ({ ...permission, id })),
  }),
  restore: ({ permissions, shortcutTo, ...detail }) => ({
    ...detail,
    ...(shortcutTo === undefined ? {} : { shortcutTo }),
    // JSON omits undefined values.
    description: detail.description,
    trashedAt: detail.trashedAt,
    originalFilename: detail.originalFilename,
    folderColorRgb: detail.folderColorRgb,
    permissions: new Map(
      permissions.map((permission) => [permission.id, permission as drive_v3.Schema$Permission]),
    ),
  }),
};

/** The state that Google itself would still have after a restart: accounts and grants. */
export function driveState(accounts: DriveAccounts, grants: Grants): KeptState<v.InferOutput<typeof STATE>> {
  return {
    schema: STATE,
    keep: (contents) => ({
      accounts: [...accounts.all()].map(({ login, name, email, tree }) => ({
        login,
        name,
        email,
        nodes: keepTree(tree, FORM, contents),
      })),
      grants: grants.keep(),
    }),
    restore(state, contents) {
      for (const { nodes, ...account } of state.accounts) {
        accounts.restore(account, restoreTree(nodes, FORM, contents));
      }
      grants.restore(state.grants);
    },
  };
}
