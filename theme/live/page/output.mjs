// What a cell shows: text, values, tables, figures, hints and errors, as far as a page can bear them.

const TAGS = new Set(("TABLE THEAD TBODY TFOOT TR TH TD CAPTION DIV SPAN P B I EM STRONG CODE PRE BR HR UL OL LI SUB SUP "
  + "H1 H2 H3 H4 H5 H6 DL DT DD SMALL").split(" "));
const ATTRIBUTES = new Set(["colspan", "rowspan", "scope"]);

// HTML that a cell made: its tables and its text; no script, style, link or picture from elsewhere.
function clean(html) {
  const body = new DOMParser().parseFromString(html, "text/html").body;
  for (const el of [...body.querySelectorAll("*")]) {
    if (!TAGS.has(el.tagName)) el.remove();
    else for (const { name } of [...el.attributes]) if (!ATTRIBUTES.has(name)) el.removeAttribute(name);
  }
  return body.childNodes;
}

// Text that goes on where the last ended, and begins a line again after a carriage return, as progress bars do.
function write(pre, text) {
  const whole = pre.textContent + text;
  pre.textContent = text.includes("\r") ? whole.replace(/\r\n/g, "\n").replace(/[^\n]*\r/g, "") : whole;
}

// A PNG's width and height, from its first bytes.
function size(base64) {
  const bytes = new DataView(Uint8Array.from(atob(base64.slice(0, 32)), (each) => each.charCodeAt(0)).buffer);
  return [bytes.getUint32(16), bytes.getUint32(20)];
}

export function show(out, kind, text, alt) {
  if (kind === "figure") {
    const [width, height] = size(text);
    const image = new Image(width, height); // the place that it takes is known before it is drawn
    Object.assign(image, { src: `data:image/png;base64,${text}`, alt });
    out.append(image);
  } else if (kind === "html") {
    const box = document.createElement("div");
    box.className = "live-html";
    box.append(...clean(text));
    out.append(box);
  } else {
    let last = out.lastElementChild;
    if (last?.dataset.kind !== kind) {
      last = document.createElement("pre");
      last.dataset.kind = kind;
      if (kind === "text" && text.startsWith("✓ ")) last.dataset.kind = "right";
      // The page reads on when it is wide; the keyboard can move it.
      last.tabIndex = 0;
      out.append(last);
    }
    write(last, text);
  }
}
