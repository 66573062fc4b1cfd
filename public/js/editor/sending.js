// One file on its way. XMLHttpRequest, since fetch does not tell how much has gone.

import { said } from "./words.js";

class Failure extends Error {
  constructor(sentence, kind = "") {
    super(sentence);
    this.kind = kind;
  }
}

// What the blog says of the image once it is there. `heard` is told the part that has gone, 0 to 1.
export function send(file, signal, heard) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("file", file);
    request.open("POST", "/media");
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) heard(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status === 201 && request.response?.markdown) resolve(request.response);
      else reject(failureOf(request));
    });
    request.addEventListener("error", () => {
      reject(navigator.onLine ? new Failure(said("away")) : new Failure(said("sentLater"), "offline"));
    });
    signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

function failureOf({ status, response }) {
  if (status === 401) return new Failure(said("notLoggedIn"), "logged out");
  if (status === 413) return new Failure(said("beyondLimit"));
  return new Failure(response?.detail || said("away"));
}
