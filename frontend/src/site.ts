/** What every page carries: colours, times, menus, htmx, and maths or code where a page has any. */
import "./styles/site.css";
import htmx from "htmx.org";
import { startCopying } from "./site/copying";
import { startMenus } from "./site/menus";
import { enhanceProse } from "./site/prose";
import { startScrollers } from "./site/scrollers";
import { startTheme } from "./site/theme";
import { startTimes } from "./site/times";

// The content security policy forbids both, and nothing here needs them.
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;

startTheme(document);
startTimes(document);
startMenus(document);
startCopying(document);
startScrollers(document);
void enhanceProse(document);
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target instanceof Element) void enhanceProse(event.target);
});
