"""The engine of the process: one connection, a file to spill to, nothing from the network."""

from retention_kit import session


def test_there_is_one_connection() -> None:
    assert session.connection() is session.connection()


def test_names_are_never_given_twice() -> None:
    names = [session.new_name("orders") for _ in range(100)]
    assert len(set(names)) == 100
    assert all(name.startswith("orders_") for name in names)


def test_the_engine_installs_nothing_and_has_no_zone_of_its_own() -> None:
    query = "SELECT current_setting('autoinstall_known_extensions'), current_setting('TimeZone')"
    assert session.connection().raw_sql(query).fetchone() == (False, "UTC")


def test_the_engine_spills_into_the_process_s_own_folder() -> None:
    spill = session.connection().raw_sql("SELECT current_setting('temp_directory')").fetchone()[0]
    assert spill == str(session.folder() / "spill")
    assert session.folder().is_dir()
