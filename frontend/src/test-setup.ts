/** KaTeX refuses quirks mode, and happy-dom does not say which mode it is in. */
Object.defineProperty(document, "compatMode", { value: "CSS1Compat" });
