// Answers wait until a reader has made a guess: what a cell shows after a prediction is covered, and the text that speaks
// of it, with room for the guess.

const ALWAYS = "answers:shown";
const GUESSES = `guesses:${location.pathname}`;

function remembered(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch { /* then it is forgotten */ }
}

// The output of the first cell after the question, in its section; figures that answer by themselves stay open.
function answer(question) {
  for (let el = question.nextElementSibling; el && !el.matches("section, blockquote, h2, h3"); el = el.nextElementSibling) {
    const output = el.matches("div.cell") && el.querySelector(":scope > .cell_output");
    if (output) return output.querySelector(".cnn-widget") ? null : output;
  }
  return null;
}

// The text between that cell and the next one, or the next question.
function text(output) {
  const found = [];
  for (let el = output.closest("div.cell").nextElementSibling; el && !el.matches("section, blockquote, h2, h3, div.cell"); el = el.nextElementSibling) found.push(el);
  return found;
}

const guesses = remembered(GUESSES) ?? {};
const covered = [];

function button(text, press) {
  const el = document.createElement("button");
  el.type = "button";
  el.textContent = text;
  el.addEventListener("click", press);
  return el;
}

function cover(output, index) {
  const form = document.createElement("form");
  form.className = "guess";
  form.innerHTML = `<label for="guess-${index}">The answer is covered. Your guess:</label><input id="guess-${index}" maxlength="300">`;
  const input = form.querySelector("input"), shown = document.createElement("p");
  shown.className = "guessed";
  shown.tabIndex = -1;
  const item = { form }, rest = document.createElement("div");
  rest.append(...text(output));
  output.closest("div.cell").after(rest);
  item.show = (focus) => {
    if (!form.isConnected) return;
    output.hidden = false;
    rest.replaceWith(...rest.childNodes);
    const guess = input.value.trim();
    if (guess || focus) {
      guesses[index] = guess;
      remember(GUESSES, guesses);
    }
    shown.textContent = guess ? `You guessed: ${guess}` : "The answer:";
    form.replaceWith(shown);
    shown.hidden = !guess && !focus;
    if (focus) shown.focus();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    item.show(true);
  });
  const show = button("Show the answer", () => {});
  show.type = "submit";
  form.append(show, button("Always show", () => always(true, item)));
  output.before(form);
  for (const el of [output, rest]) {
    el.setAttribute("hidden", "until-found");
    el.addEventListener("beforematch", () => item.show(false)); // found by the browser's search, or run by the reader
  }
  if (typeof guesses[index] === "string") {
    input.value = guesses[index].slice(0, 300);
    item.show(false);
  }
  covered.push(item);
}

const line = document.querySelector(".live-predictions");

function always(shown, item) {
  remember(ALWAYS, shown);
  if (shown) covered.forEach((each) => each.show(each === item));
  else location.reload();
  tell(shown);
}

function tell(shown) {
  const focused = line.contains(document.activeElement);
  const choice = button(shown ? "Cover them" : "Always show them", () => always(!shown));
  line.replaceChildren(shown ? "Answers are shown." : "Answers are covered.", " ", choice);
  if (focused) choice.focus();
}

const questions = [...document.querySelectorAll("article blockquote")].filter((box) => /^(Predict|Before you)/.test(box.querySelector("strong")?.textContent ?? ""));
const outputs = questions.map(answer);
if (outputs.some(Boolean)) {
  const shown = remembered(ALWAYS) === true;
  tell(shown);
  if (!shown) outputs.forEach((output, index) => output && cover(output, index));
} else line.remove();
