import type { VendorTraits } from "./traits.ts";

export const traits: VendorTraits = {
  rootAlias: "%252F",
  base: "",
  ignoresCase: true,
  downloadPath: () => "/2/files/download",
  lastingLinks: { view: "dl=0", download: "dl=1" },
  usualExport: { mediaType: "text/markdown", extension: ".md" },
  losesCursors: true,
  has: ["addShared", "addDocument"],
  slowTests: true,
};
