import { traits as box } from "./box.ts";
import { traits as dropbox } from "./dropbox.ts";
import { traits as dropboxbusiness } from "./dropboxbusiness.ts";
import { traits as googledrive } from "./googledrive.ts";
import { traits as onedrivev2 } from "./onedrivev2.ts";
import { traits as sharefile } from "./sharefile.ts";
import type { VendorTraits } from "./traits.ts";

const all: Readonly<Record<string, VendorTraits>> = {
  box,
  dropbox,
  dropboxbusiness,
  googledrive,
  onedrivev2,
  sharefile,
};

/** @throws {Error} the vendor declares none */
export function traitsOf(connector: string): VendorTraits {
  const traits = all[connector];
  if (traits === undefined)
    throw new Error(
      `test/conformance/vendors/ must have a file with the traits of ${connector}, listed here`,
    );
  return traits;
}
