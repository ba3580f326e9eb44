// What a page gets for a word that is found in it. All but `score` is Sphinx's own, which this takes the place of.
var Scorer = {
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
  // Many pages get the same. They stand in the book's order: chapters, what is to be looked up, exercises; each by number.
  score: ([page, , , , score]) => {
    const [, folder, number] = page.match(/^(?:(\w+)\/)?(\d*)/);
    return score - ["chapters", undefined, "exercises", "instructor"].indexOf(folder) / 10 - number / 1000;
  },
};
