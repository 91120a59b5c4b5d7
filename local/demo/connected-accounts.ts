import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The demo app's record of a connection: exactly the data that a real app would store in its own database.
 */
export interface ConnectedAccount {
  readonly instanceId: number;
  readonly instanceToken: string;
  readonly connector: string;
  readonly name: string;
  /** The vendor's name and e-mail address of the person; absent: not asked yet, or not known. */
  readonly person?: { readonly name?: string; readonly email?: string };
  /** Hash of the end user who connected the account; absent if an older version wrote the record. */
  readonly owner?: string;
}

/** The demo app's database: one JSON file that only its owner can read. */
export class ConnectedAccounts {
  readonly #file: string;
  #accounts: ConnectedAccount[];

  constructor(dataFolder: string) {
    this.#file = join(dataFolder, "demo-accounts.json");
    try {
      this.#accounts = JSON.parse(readFileSync(this.#file, "utf8")) as ConnectedAccount[];
    } catch {
      this.#accounts = [];
    }
  }

  /** The accounts of one end user of the app: other users of this machine can open the app, too. */
  list(endUser: string): readonly ConnectedAccount[] {
    const owner = hashOf(endUser);
    return this.#accounts.filter((account) => account.owner === owner);
  }

  find(instanceId: number, endUser: string): ConnectedAccount | undefined {
    return this.list(endUser).find((account) => account.instanceId === instanceId);
  }

  add(account: ConnectedAccount, endUser: string): void {
    this.#save([
      ...this.#accounts.filter((each) => each.instanceId !== account.instanceId),
      { ...account, owner: hashOf(endUser) },
    ]);
  }

  remove(instanceId: number): void {
    this.#save(this.#accounts.filter((account) => account.instanceId !== instanceId));
  }

  hasOwnerless(): boolean {
    return this.#accounts.some(({ owner }) => owner === undefined);
  }

  giveOwnerlessTo(endUser: string): void {
    this.#save(this.#accounts.map((account) => ({ owner: hashOf(endUser), ...account })));
  }

  #save(accounts: ConnectedAccount[]): void {
    this.#accounts = accounts;
    writeFileSync(`${this.#file}.new`, JSON.stringify(accounts, null, 2), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}

function hashOf(endUser: string): string {
  return createHash("sha256").update(endUser).digest("base64url");
}
