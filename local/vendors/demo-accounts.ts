import { type Content, textContent } from "./content.ts";
import { onePagePdf, smallPng } from "./demo-files.ts";
import { TreeRefused } from "./kit/tree-refused.ts";
import type { VendorFiles } from "./vendor-files.ts";

const ADA: Readonly<Record<string, Content>> = {
  "/Welcome.txt": textContent(
    "Welcome, Ada.\n\nThese files live in a stand-in on this machine, and nowhere else.\n",
  ),
  "/Documents/Notes on the Analytical Engine.md": textContent(
    "# Notes on the Analytical Engine\n\nThe engine weaves algebraic patterns just as the loom weaves flowers and leaves.\n",
  ),
  "/Documents/Bernoulli numbers.csv": textContent("n,B\n0,1\n1,-1/2\n2,1/6\n4,-1/30\n6,1/42\n8,-1/30\n"),
  "/Documents/Letters/To Charles Babbage.pdf": onePagePdf("To Charles Babbage"),
  "/Pictures/Loom.png": smallPng(),
  "/Odd names/50% + tax & more #1?.txt": textContent("Every character of this name is allowed.\n"),
  '/Odd names/O\'Brien said "hello".txt': textContent("Quotes of both kinds.\n"),
  "/Odd names/Übergröße – 日本語.txt": textContent("Letters from elsewhere.\n"),
};

const GRACE: Readonly<Record<string, Content>> = {
  "/First bug.txt": textContent("Relay #70, panel F: moth in relay. First actual case of bug being found.\n"),
  "/Compilers/A-0.txt": textContent("The A-0 system, 1952.\n"),
};

/** Adds Ada's and Grace's accounts with their files. */
export function addDemoAccounts(files: VendorFiles): void {
  files.addAccount({ login: "ada@example.com", name: "Ada Lovelace", email: "ada@example.com" });
  files.addAccount({ login: "grace@example.com", name: "Grace Hopper", email: "grace@example.com" });
  addFiles(files, "ada@example.com", ADA);
  addFiles(files, "grace@example.com", GRACE);
  files.addFolder("ada@example.com", "/Empty folder");
}

/** Leaves out the files whose names the vendor refuses. */
function addFiles(files: VendorFiles, login: string, named: Readonly<Record<string, Content>>): void {
  for (const [path, content] of Object.entries(named)) {
    try {
      files.addFile(login, path, content);
    } catch (error) {
      if (!(error instanceof TreeRefused && error.problem.kind === "bad_name")) throw error;
    }
  }
}
