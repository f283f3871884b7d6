/** The lab page: editors, saving, handing in, and verdicts as they fall. */

import { readConfig } from "./config";
import { Drafting } from "./drafting";
import { HandingIn } from "./handing_in";
import { find } from "./page";

const root = document.querySelector<HTMLElement>("[data-workbench]");
if (root) {
  const config = readConfig(document);
  const drafting = new Drafting(root, config);
  const handingIn = new HandingIn(root, config, drafting);
  // On a phone the outline would push the lab off the screen.
  if (matchMedia("(width < 62rem)").matches) {
    find<HTMLDetailsElement>(root, ".outline__fold").open = false;
  }
  void drafting.start();
  handingIn.start();
  setInterval(() => {
    drafting.tick();
    handingIn.tick();
  }, 1000);
}
