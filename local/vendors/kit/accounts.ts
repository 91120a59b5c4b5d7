import * as v from "valibot";
import type { Clock } from "../../clock.ts";
import { type Grants, KEPT_GRANTS } from "../authorization/grants.ts";
import { type Content, textContent } from "../content.ts";
import type { FileTree, TreeNode } from "../file-tree.ts";
import type { StandInAccount, StandInEntry, StandInPlaces } from "../stand-in.ts";
import {
  type DetailForm,
  keepNode,
  keepTree,
  keptNode,
  restoreNode,
  restoreTree,
} from "../state/kept-tree.ts";
import type { KeptState } from "../state/state-keeper.ts";
import type { VendorFiles } from "../vendor-files.ts";
import { KitAccount, type KitDetail, type TreeRules } from "./account.ts";
import type { SwitchBoard } from "./switches.ts";

const MAX_ACCOUNTS = 1000;

/** All accounts of a stand-in made with the kit, by login. */
export class KitAccounts<Own> implements VendorFiles {
  readonly #accounts = new Map<string, KitAccount<Own>>();
  readonly #rules: TreeRules<Own>;
  readonly #clock: Clock;
  readonly #switches: SwitchBoard;
  /** The number of the last id. Ids of deleted items are not issued again, even after a restart. */
  #number = 0;

  constructor(rules: TreeRules<Own>, clock: Clock, switches: SwitchBoard) {
    this.#rules = rules;
    this.#clock = clock;
    this.#switches = switches;
  }

  accounts(): readonly StandInAccount[] {
    return [...this.#accounts.values()].map(({ login, name, email }) => ({ login, name, email }));
  }

  all(): Iterable<KitAccount<Own>> {
    return this.#accounts.values();
  }

  find(login: string): KitAccount<Own> | undefined {
    return this.#accounts.get(login);
  }

  addAccount(account: StandInAccount): void {
    if (this.#accounts.has(account.login))
      throw new RangeError(`the account ${account.login} already exists`);
    if (this.#accounts.size >= MAX_ACCOUNTS)
      throw new RangeError(`a stand-in can have ${MAX_ACCOUNTS} accounts at most`);
    this.#add(account);
  }

  addFile(login: string, path: string, content: Content): void {
    const account = this.#known(login);
    const slash = path.lastIndexOf("/");
    const parent = account.folderAt(path.slice(0, Math.max(slash, 0)));
    const name = path.slice(slash + 1);
    const existing = account.child(parent, name);
    if (existing === undefined) account.addFile(parent, name, content);
    else account.write(existing, content);
  }

  addFolder(login: string, path: string): void {
    this.#known(login).folderAt(path);
  }

  readonly places: StandInPlaces = {
    addShared: (login, name, content) => this.#known(login).addShared(name, textContent(content)).id,
  };

  entries(login: string): readonly StandInEntry[] {
    return this.#known(login).entries();
  }

  /** The state that the vendor would still have after a restart: accounts, trees, trash and grants. */
  keptState(detail: v.GenericSchema<unknown, Own>, grants: Grants): KeptState<unknown> {
    const node = keptNode(v.strictObject({ etag: v.number(), namedAt: v.number(), own: detail }));
    const trashed = v.strictObject({
      nodes: v.array(node),
      parentId: v.optional(v.string()),
      at: v.number(),
    });
    const schema = v.strictObject({
      number: v.number(),
      accounts: v.array(
        v.strictObject({
          login: v.string(),
          name: v.string(),
          email: v.string(),
          nodes: v.array(node),
          trash: v.array(trashed),
        }),
      ),
      grants: KEPT_GRANTS,
    });
    // The detail is already plain data.
    const form: DetailForm<KitDetail<Own>, KitDetail<Own>> = {
      keep: (each) => each,
      restore: (each) => each,
    };
    const state: KeptState<v.InferOutput<typeof schema>> = {
      schema,
      keep: (contents) => ({
        number: this.#number,
        accounts: [...this.all()].map(({ login, name, email, tree, trash }) => ({
          login,
          name,
          email,
          nodes: keepTree(tree, form, contents, rootsOf(tree)),
          trash: [...trash.values()].map(({ nodes, parentId, at }) => ({
            nodes: nodes.map((each) => keepNode(each, form, contents)),
            parentId,
            at,
          })),
        })),
        grants: grants.keep(),
      }),
      restore: (kept, contents) => {
        this.#number = kept.number;
        for (const { nodes, trash, ...person } of kept.accounts) {
          const account = this.#add(person, restoreTree(nodes, form, contents));
          for (const { nodes: inTrash, parentId, at } of trash) {
            const restored = inTrash.map((each) => restoreNode(each, form, contents));
            const [top] = restored;
            if (top !== undefined) account.trash.set(top.id, { nodes: restored, parentId, at });
          }
        }
        grants.restore(kept.grants);
      },
    };
    return state as KeptState<unknown>;
  }

  #add(account: StandInAccount, earlier?: KitAccount<Own>["tree"]): KitAccount<Own> {
    const added = new KitAccount<Own>(account, {
      rules: this.#rules,
      clock: this.#clock,
      switches: this.#switches,
      nextNumber: () => ++this.#number,
      earlier,
    });
    this.#accounts.set(account.login, added);
    return added;
  }

  #known(login: string): KitAccount<Own> {
    const account = this.#accounts.get(login);
    if (account === undefined) throw new RangeError(`there is no account ${login}`);
    return account;
  }
}

/** The root, then the items that are in no folder, because another person shares them. */
function rootsOf<Detail>(tree: FileTree<Detail>): TreeNode<Detail>[] {
  const others = [...tree.all()].filter((node) => node.parentId === undefined && node !== tree.root);
  return [tree.root, ...others];
}
