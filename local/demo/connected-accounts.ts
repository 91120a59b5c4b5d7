import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the demo app keeps of a connection: exactly what a real app would keep in its own database. */
export interface ConnectedAccount {
  readonly instanceId: number;
  readonly instanceToken: string;
  readonly connector: string;
  readonly name: string;
  /** Hash of who connected it; absent where an older version wrote it. */
  readonly owner?: string;
}

/** The demo app's database: one JSON file, readable by its owner only. */
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

  /** Those of one user of the app: others on this machine can open it, too. */
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
