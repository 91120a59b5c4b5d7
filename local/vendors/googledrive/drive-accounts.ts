import type { Clock } from "../../clock.ts";
import { type Content, textContent } from "../content.ts";
import type { FileTree } from "../file-tree.ts";
import { mediaTypeOf } from "../media-type.ts";
import type { StandInAccount, StandInEntry, StandInPlaces } from "../stand-in.ts";
import type { VendorFiles } from "../vendor-files.ts";
import { DriveAccount, type DriveDetail, type DriveNode, FOLDER, SHORTCUT } from "./drive-account.ts";

/** Who shares what `places` adds. */
const OTHER = "somebody.else@example.com";

/** All accounts of the stand-in, by login. */
export class DriveAccounts implements VendorFiles {
  readonly #clock: Clock;
  readonly #accounts = new Map<string, DriveAccount>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  accounts(): readonly StandInAccount[] {
    return [...this.#accounts.values()].map(({ login, name, email }) => ({ login, name, email }));
  }

  addAccount(account: StandInAccount): void {
    if (this.#accounts.has(account.login))
      throw new RangeError(`the account ${account.login} already exists`);
    if (this.#accounts.size >= 1000) throw new RangeError("a stand-in can have 1000 accounts at most");
    this.#accounts.set(account.login, new DriveAccount(account, this.#clock));
  }

  /** Restores an account of an earlier run. */
  restore(account: StandInAccount, earlier: FileTree<DriveDetail>): void {
    this.#accounts.set(account.login, new DriveAccount(account, this.#clock, earlier));
  }

  find(login: string): DriveAccount | undefined {
    return this.#accounts.get(login);
  }

  all(): Iterable<DriveAccount> {
    return this.#accounts.values();
  }

  addFile(login: string, path: string, content: Content): void {
    const account = this.#known(login);
    const [name = "", ...folders] = path.split("/").slice(1).toReversed();
    const parent = this.#folder(account, folders.toReversed());
    const existing = named(account, parent, name);
    if (existing === undefined) account.create(name, parent, mediaTypeOf(name), content);
    else account.write(existing, content, existing.detail.mimeType);
  }

  addFolder(login: string, path: string): void {
    this.#folder(this.#known(login), path.split("/").slice(1));
  }

  /** Adds a document of Google's own editors: it has text, but no bytes to download. */
  addDocument(login: string, name: string, text: Content): string {
    const account = this.#known(login);
    return account.create(name, account.tree.root, "application/vnd.google-apps.document", text).id;
  }

  readonly places: StandInPlaces = {
    addShared: (login, name, content) => this.#known(login).addShared(name, textContent(content), OTHER).id,
    addSharedFolder: (login, name, file) => {
      const account = this.#known(login);
      const folder = account.addShared(name, undefined, OTHER);
      return {
        folder: folder.id,
        file: account.create(file, folder, mediaTypeOf(file), textContent(file)).id,
      };
    },
    addSharedDrive: (login, name, file) => {
      const account = this.#known(login);
      const drive = account.addSharedDrive(name);
      return { drive: drive.id, file: account.create(file, drive, mediaTypeOf(file), textContent(file)).id };
    },
    addDocument: (login, name, text) => this.addDocument(login, name, textContent(text)),
    addShortcut: (login, name, targetId) => {
      const account = this.#known(login);
      const node = account.create(name, account.tree.root, SHORTCUT);
      node.detail.shortcutTo = targetId;
      return node.id;
    },
    leaveDrivesOut: (login, leaves) => {
      this.#known(login).leavesDrivesOut = leaves;
    },
    restrict: (login, id, restriction) => {
      this.#known(login).file(id).detail.restriction = restriction;
    },
  };

  entries(login: string): readonly StandInEntry[] {
    return this.#known(login).entries();
  }

  #folder(account: DriveAccount, names: readonly string[]): DriveNode {
    let folder = account.tree.root;
    for (const name of names) folder = named(account, folder, name) ?? account.create(name, folder, FOLDER);
    return folder;
  }

  #known(login: string): DriveAccount {
    const account = this.#accounts.get(login);
    if (account === undefined) throw new RangeError(`there is no account ${login}`);
    return account;
  }
}

function named(account: DriveAccount, folder: DriveNode, name: string): DriveNode | undefined {
  return account.tree.children(folder.id).find((node) => node.name === name);
}
