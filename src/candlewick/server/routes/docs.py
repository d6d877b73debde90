"""Docs: the interface, for people."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from candlewick.server.contract import answers
from candlewick.server.docs_page import POLICY, docs_page
from candlewick.server.schemas import TEXT

router = APIRouter(tags=["docs"])


@router.get(
    "/docs",
    response_class=Response,
    responses=answers(TEXT, "The page.", media="text/html; charset=utf-8", example="<!doctype html>"),
    summary="This document as a page",
)
async def docs(request: Request) -> Response:
    """What the server answers, as a page that loads nothing from anywhere else."""
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
    return Response(docs_page(request.app.openapi()), 200, headers, "text/html; charset=utf-8")
