from __future__ import annotations

from pathlib import Path

from launcher.hashing import file_sha256, key, tree


def _folder(path: Path) -> Path:
    (path / "sub").mkdir(parents=True)
    (path / "one").write_text("1")
    (path / "sub/two").write_text("2")
    return path


def test_the_same_content_has_the_same_hash_wherever_it_is(tmp_path: Path) -> None:
    assert tree(_folder(tmp_path / "a")) == tree(_folder(tmp_path / "b"))


def test_content_name_and_executable_bit_count(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a")
    seen = {tree(folder)}
    (folder / "one").write_text("other")
    seen.add(tree(folder))
    (folder / "one").chmod(0o755)
    seen.add(tree(folder))
    (folder / "one").rename(folder / "renamed")
    seen.add(tree(folder))
    assert len(seen) == 4


def test_bytecode_and_tests_do_not_count(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a")
    before = tree(folder)
    (folder / "sub/main_test.go").write_text("package main")
    (folder / "sub/__pycache__").mkdir()
    (folder / "sub/__pycache__/x.pyc").write_bytes(b"x")
    assert tree(folder) == before


def test_a_key_depends_on_every_input_and_their_borders(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    keys = {key("a", "b"), key("ab"), key("b", "a"), key("a", ("b",)), key("a", file)}
    file.write_text("y")
    keys.add(key("a", file))
    assert len(keys) == 6
    assert key("a", file) == key("a", file)


def test_a_files_hash_is_sha256(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    assert file_sha256(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
