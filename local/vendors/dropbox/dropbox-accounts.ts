import type { Clock } from "../../clock.ts";
import { type Content, textContent } from "../content.ts";
import type { StandInAccount, StandInEntry, StandInPlaces } from "../stand-in.ts";
import type { VendorFiles } from "../vendor-files.ts";
import { DropboxAccount, type EarlierRun } from "./dropbox-account.ts";

/** All accounts of the stand-in, by login. */
export class DropboxAccounts implements VendorFiles {
  readonly #clock: Clock;
  readonly #accounts = new Map<string, DropboxAccount>();

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
    this.#accounts.set(account.login, new DropboxAccount(account, this.#clock));
  }

  /** Restores an account of an earlier run. */
  restore(account: StandInAccount, earlier: EarlierRun): void {
    this.#accounts.set(account.login, new DropboxAccount(account, this.#clock, earlier));
  }

  all(): Iterable<DropboxAccount> {
    return this.#accounts.values();
  }

  find(login: string): DropboxAccount | undefined {
    return this.#accounts.get(login);
  }

  addFile(login: string, path: string, content: Content): void {
    this.#known(login).write(path, content, this.#clock.now());
  }

  addFolder(login: string, path: string): void {
    this.#known(login).folderAt(path);
  }

  readonly places: StandInPlaces = {
    addTeamSpace: (login, folder, file) => this.#known(login).addTeamSpace(folder, file),
    addDocument: (login, name, text) => this.#known(login).addDocument(`${name}.paper`, textContent(text)).id,
    addShared: (login, name, content) => this.#known(login).addUnmounted(name, textContent(content)).id,
  };

  entries(login: string): readonly StandInEntry[] {
    return this.#known(login).entries();
  }

  #known(login: string): DropboxAccount {
    const account = this.#accounts.get(login);
    if (account === undefined) throw new RangeError(`there is no account ${login}`);
    return account;
  }
}
