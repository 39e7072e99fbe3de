// Below each text of a department: what would be heard, as the server renders it, while it is being written.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const settings = document.getElementById("department-preview");
  if (!settings) return;
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const value = (name) => document.querySelector(`[name=${name}]`)?.value ?? "";

  for (const field of document.querySelectorAll("textarea[data-preview]")) {
    const box = document.createElement("div");
    box.className = "th-preview";
    box.setAttribute("aria-live", "polite");
    const title = document.createElement("b");
    title.textContent = settings.dataset.title;
    const text = document.createElement("span");
    box.append(title, text);
    field.after(box);

    let timer = 0, asked = null;
    const show = (words, wrong) => {
      text.textContent = words;
      title.hidden = wrong;
      box.classList.toggle("th-wrong", wrong);
    };
    const ask = async () => {
      asked?.abort();
      const mine = asked = new AbortController();
      try {
        const answer = await fetch(settings.dataset.url, {
          method: "POST", signal: mine.signal,
          headers: { "Content-Type": "application/json", "X-CSRFToken": token },
          body: JSON.stringify({
            field: field.dataset.preview, template: field.value,
            department: value("name"), language: value("language"),
          }),
        });
        const { text: words, problem } = await answer.json();
        show(problem ?? words, problem !== undefined);
      } catch {
        if (!mine.signal.aborted) show(settings.dataset.unreachable, true);
      }
    };
    const later = () => { clearTimeout(timer); timer = setTimeout(ask, 250); };
    for (const source of [field, ...document.querySelectorAll("[name=name], [name=language]")]) {
      source.addEventListener("input", later);
    }
    ask();
  }
});
