"""The requests that the documentation of the API's forerunner shows, as its users send them, and what each is answered.

``PROJECT``, ``JOB``, ``DATASET`` and ``ENTRY`` stand for ids of a finished job. A code means refused by that name.
"""

from typing import Any

GENERATE: dict[str, Any] = {
    "project_id": 1,
    "data_source": "Chunks Only",
    "prompt_name": "default",
    "custom_prompt": None,
    "selected_categories": [],
    "generation_mode": "default",
    "format_type": "jsonl",
    "concurrency": 1,
    "batch_size": 50,
    "include_evaluation_sets": False,
    "taxonomy_project": None,
    "taxonomy_name": None,
    "output_dir": ".",
    "analyze_quality": True,
    "quality_threshold": 0.7,
    "enable_versioning": False,
    "dataset_name": None,
    "run_benchmarks": False,
    "benchmark_suite": "glue",
    "parsing_model": "gemini",
    "chunking_model": "gemini",
    "classification_model": "gemini",
    "datasets_per_chunk": 3,
    "only_validated": False,
}

REQUESTS: tuple[tuple[str, str, dict[str, Any] | None, int, str | None], ...] = (
    ("POST", "/datasets/generate", GENERATE, 200, None),
    (
        "POST",
        "/datasets/generate",
        {**GENERATE, "custom_prompt": "Optional custom prompt content"},
        400,
        "not_available",
    ),
    (
        "POST",
        "/datasets/generate",
        {**GENERATE, "selected_categories": ["category1", "category2"]},
        400,
        "not_available",
    ),
    (
        "POST",
        "/datasets/generate",
        {"project_id": 1, "classification_model": "gemini", "analyze_quality": True},
        200,
        None,
    ),
    ("POST", "/datasets/generate-evaluation", GENERATE, 400, "not_available"),
    ("GET", "/datasets/generate/JOB/status", None, 200, None),
    ("GET", "/datasets/DATASET", None, 200, None),
    ("GET", "/datasets/DATASET/entries?page=1&per_page=50", None, 200, None),
    (
        "GET",
        "/datasets/DATASET/entries?filter_quality=0.5&sort_by=quality",
        None,
        200,
        None,
    ),
    ("GET", "/datasets/DATASET/entries?sort_by=category", None, 200, None),
    ("GET", "/datasets/DATASET/entries?sort_by=difficulty", None, 200, None),
    (
        "PUT",
        "/datasets/DATASET/entries/ENTRY",
        {"question": "Q?", "answer": "A."},
        400,
        "not_available",
    ),
    (
        "POST",
        "/datasets/DATASET/feedback",
        {"entry_ids": ["ENTRY"], "feedback_type": "bulk_edit", "rating": 5},
        400,
        "not_available",
    ),
    ("GET", "/datasets/extraction-files/1", None, 200, None),
    ("GET", "/datasets/extraction-files/PROJECT", None, 200, None),
    (
        "POST",
        "/datasets/DATASET/regenerate",
        {"entry_ids": ["ENTRY"], "regeneration_config": {"temperature": 0.7}},
        400,
        "not_available",
    ),
    ("GET", "/datasets/DATASET/download", None, 200, None),
)
"""Method, path, body, status, code."""
