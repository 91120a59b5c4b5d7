import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What the demo app keeps of a connection: exactly what a real app would keep in its own database. */
export interface ConnectedAccount {
  readonly instanceId: number;
  readonly instanceToken: string;
  readonly connector: string;
  readonly name: string;
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

  list(): readonly ConnectedAccount[] {
    return this.#accounts;
  }

  find(instanceId: number): ConnectedAccount | undefined {
    return this.#accounts.find((account) => account.instanceId === instanceId);
  }

  add(account: ConnectedAccount): void {
    this.#save([...this.#accounts.filter((each) => each.instanceId !== account.instanceId), account]);
  }

  remove(instanceId: number): void {
    this.#save(this.#accounts.filter((account) => account.instanceId !== instanceId));
  }

  #save(accounts: ConnectedAccount[]): void {
    this.#accounts = accounts;
    writeFileSync(`${this.#file}.new`, JSON.stringify(accounts, null, 2), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}
